import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { literal } from "../literal.ts";
import { type ColumnstoreWords, columnstoreWords } from "./columnstore-words.ts";
import { type ObjectKind, onlyCommunity } from "./object.ts";

/** How the chunks of a hypertable are laid out in the columnstore. */
export interface ColumnstoreArgs {
  /** Columns whose equal values are kept together; queries name them. Each wants hundreds of rows in a chunk. */
  segmentBy: string[];
  /**
   * Columns that order the rows of a segment; each may end in ` desc`. Where it is the time column alone, a load can
   * write rows in this order itself, which is faster than to let the server sort.
   * @default what TimescaleDB chooses
   */
  orderBy?: string[];
}

/** A hypertable that may have chunks in the columnstore. */
export interface Columnstore extends ColumnstoreArgs {
  kind: "columnstore";
  /** The hypertable. */
  name: string;
}

/**
 * Enabling moves no chunk. Its way back turns every chunk into rows again and keeps each of them. TimescaleDB before 2.18
 * adds no key to a table that has it: there the policy, which comes after the keys, enables it.
 */
export const columnstore: ObjectKind<Columnstore> = {
  choose: ({ name }, { edition, version, declared }) => {
    if (edition === "apache") return { as: "skipped", reason: onlyCommunity("columnstore") };
    const hasPolicy = declared.some((object) => object.kind === "columnstore policy" && object.name === name);
    return columnstoreWords(version).keysFirst && !hasPolicy
      ? {
          as: "skipped",
          reason: "TimescaleDB before 2.18 adds no key to a table with one, and no policy enables it later",
        }
      : { as: "native" };
  },
  native: (object, { version }) => {
    const steps = enabling(object, version);
    return {
      how: `segments by ${object.segmentBy.join(", ") || "nothing"}, order ${object.orderBy?.join(", ") ?? "chosen by TimescaleDB"}`,
      ...(columnstoreWords(version).keysFirst ? { create: [], drop: [] } : steps),
      checks: [
        {
          expected: "enabled",
          sql: `SELECT coalesce(bool_or(compression_enabled), false) AS pass,
  CASE WHEN bool_or(compression_enabled) THEN 'enabled' ELSE 'not enabled' END AS actual
FROM timescaledb_information.hypertables
WHERE hypertable_schema = current_schema() AND hypertable_name = ${literal(object.name)}`,
        },
      ],
    };
  },
};

/** Enabling a columnstore, and leaving it. */
export function enabling(object: Columnstore, version: string | undefined) {
  const words = columnstoreWords(version);
  return {
    create: [enable(object, words)],
    leave: [leave(object.name, words)],
    drop: [`ALTER TABLE ${identifier(object.name)} SET (${words.enabled} = false);`],
  };
}

function enable({ name, segmentBy, orderBy }: Columnstore, words: ColumnstoreWords): string {
  const settings = [`${words.enabled} = true`];
  // Left out, it would stay what it was before, or become what TimescaleDB chooses.
  settings.push(`${words.segmentBy} = ${literal(segmentBy.map(identifier).join(", "))}`);
  if (orderBy) settings.push(`${words.orderBy} = ${literal(orderBy.map(orderColumn).join(", "))}`);
  return `ALTER TABLE ${identifier(name)} SET (\n  ${settings.join(",\n  ")});`;
}

/** Each chunk in a transaction of its own: killed in between, it goes on where it was. */
function leave(table: string, words: ColumnstoreWords): string {
  const name = literal(identifier(table));
  return `DO $timelift$
DECLARE
  chunk regclass;
  chunks regclass[];
BEGIN
  ${words.removePolicy(name)};
  SELECT array_agg(format('%I.%I', chunk_schema, chunk_name)::regclass ORDER BY range_start) INTO chunks
    FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = ${literal(table)} AND is_compressed;
  FOREACH chunk IN ARRAY coalesce(chunks, '{}') LOOP
    ${words.toRows("chunk")};
    COMMIT;
  END LOOP;
END
$timelift$;`;
}

/** `"time" DESC` for `time desc`. */
export function orderColumn(column: string): string {
  const [name = column, ...direction] = column.split(" ");
  return [identifier(name), ...direction.map((word) => word.toUpperCase())].join(" ");
}
