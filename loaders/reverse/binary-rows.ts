import type pg from "pg";
import type { TargetType } from "../target-table.ts";
import { copyOut } from "../validate/copy-out.ts";
import { type Decode, decoderOf, type TargetValue } from "./target-value.ts";

/** One value of every row: SQL of PostgreSQL and its type, null for one that timelift knows only as text. */
export interface ReadColumn {
  sql: string;
  type: TargetType | null;
}

const headerBytes = 19;

/**
 * Reads rows of the target as a stream of binary COPY; the array that `take` gets is used again for the next row.
 * @param rest what follows the columns: FROM, WHERE, ORDER BY
 * @throws what the server says, and what `take` throws
 */
export async function readRows(
  client: pg.ClientBase,
  columns: ReadColumn[],
  rest: string,
  take: (row: (TargetValue | null)[]) => void,
): Promise<void> {
  const items = columns.map(({ sql, type }) => (type === null ? `(${sql})::text` : sql));
  const decoders = columns.map(({ type }): Decode => decoderOf(type));
  const row: (TargetValue | null)[] = new Array(columns.length).fill(null);
  let started = false;
  await copyOut(
    client,
    `COPY (SELECT ${items.join(", ")} ${rest}) TO STDOUT (FORMAT binary)`,
    (bytes, view, start, end) => {
      let at = start;
      if (!started) {
        at += headerBytes + view.getInt32(at + headerBytes - 4);
        started = true;
      }
      while (at < end) {
        const count = view.getInt16(at);
        at += 2;
        if (count === -1) return;
        if (count !== row.length) throw new Error(`a row of ${count} fields, expected ${row.length}`);
        for (let i = 0; i < count; i += 1) {
          const length = view.getInt32(at);
          at += 4;
          row[i] = length < 0 ? null : (decoders[i] as Decode)(bytes, view, at, at + length);
          at += Math.max(length, 0);
        }
        take(row);
      }
    },
  );
}
