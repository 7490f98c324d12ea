import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { literal } from "../literal.ts";
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

/** Enabling moves no chunk. Its way back turns every chunk into rows again and keeps each of them. */
export const columnstore: ObjectKind<Columnstore> = {
  choose: (_object, { edition }) =>
    edition === "community" ? { as: "native" } : { as: "skipped", reason: onlyCommunity("columnstore") },
  native: (object) => ({
    how: `segments by ${object.segmentBy.join(", ") || "nothing"}, order ${object.orderBy?.join(", ") ?? "chosen by TimescaleDB"}`,
    create: [enable(object)],
    leave: [leave(object.name)],
    drop: [`ALTER TABLE ${identifier(object.name)} SET (timescaledb.enable_columnstore = false);`],
    checks: [
      {
        expected: "enabled",
        sql: `SELECT coalesce(bool_or(compression_enabled), false) AS pass,
  CASE WHEN bool_or(compression_enabled) THEN 'enabled' ELSE 'not enabled' END AS actual
FROM timescaledb_information.hypertables
WHERE hypertable_schema = current_schema() AND hypertable_name = ${literal(object.name)}`,
      },
    ],
  }),
};

function enable({ name, segmentBy, orderBy }: Columnstore): string {
  const settings = ["timescaledb.enable_columnstore = true"];
  if (segmentBy.length > 0) {
    settings.push(`timescaledb.segmentby = ${literal(segmentBy.map(identifier).join(", "))}`);
  }
  if (orderBy) settings.push(`timescaledb.orderby = ${literal(orderBy.map(orderColumn).join(", "))}`);
  return `ALTER TABLE ${identifier(name)} SET (\n  ${settings.join(",\n  ")});`;
}

/** Each chunk in a transaction of its own: killed in between, it goes on where it was. */
function leave(table: string): string {
  return `DO $timelift$
DECLARE
  chunk regclass;
  chunks regclass[];
BEGIN
  CALL remove_columnstore_policy(${literal(identifier(table))}, if_exists => true);
  SELECT array_agg(format('%I.%I', chunk_schema, chunk_name)::regclass ORDER BY range_start) INTO chunks
    FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = ${literal(table)} AND is_compressed;
  FOREACH chunk IN ARRAY coalesce(chunks, '{}') LOOP
    CALL convert_to_rowstore(chunk, if_columnstore => true);
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
