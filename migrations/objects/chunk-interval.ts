import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { type Interval, intervalSql, intervalText } from "../interval.ts";
import { literal } from "../literal.ts";
import type { ObjectKind } from "./object.ts";

/** A chunk interval that the stack's config sets in place of the declared one. */
export interface ChunkInterval {
  kind: "chunk interval";
  /** The hypertable. */
  name: string;
  interval: Interval;
  /** What the migrations declare; its way back. */
  declared: Interval;
}

/** Holds for chunks that are made from then on; those that exist stay as they are. */
export const chunkInterval: ObjectKind<ChunkInterval> = {
  choose: () => ({ as: "native" }),
  native: ({ name, interval, declared }) => ({
    how: `chunks of ${intervalText(interval)} by config, ${intervalText(declared)} declared`,
    create: [setChunkInterval(name, interval)],
    drop: [setChunkInterval(name, declared)],
    checks: [],
  }),
};

/** The SQL that gives a hypertable's next chunks another span. */
export function setChunkInterval(table: string, interval: Interval): string {
  return `SELECT set_chunk_time_interval(${literal(identifier(table))}, ${intervalSql(interval)});`;
}
