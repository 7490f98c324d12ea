import { quoteIdentifier as identifier } from "../loaders/identifier.ts";
import { type Interval, intervalSql } from "./interval.ts";

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

/** When chunks move to the columnstore. */
export interface ColumnstorePolicyArgs {
  /** A chunk moves when all of it is older than this. */
  after: Interval;
}

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** Lets a hypertable have chunks in the columnstore; moves none. */
export function enableColumnstore(table: string, { segmentBy, orderBy }: ColumnstoreArgs): string {
  const settings = ["timescaledb.enable_columnstore = true"];
  if (segmentBy.length > 0) {
    settings.push(`timescaledb.segmentby = ${text(segmentBy.map(identifier).join(", "))}`);
  }
  if (orderBy) settings.push(`timescaledb.orderby = ${text(orderBy.map(orderColumn).join(", "))}`);
  return `ALTER TABLE ${identifier(table)} SET (\n  ${settings.join(",\n  ")});`;
}

/** The line that stands in a preview where the edition has no columnstore. */
export function skippedColumnstore(table: string, what: string): string {
  return `-- ${what} of ${identifier(table)}: skipped, the Apache edition of TimescaleDB has no columnstore`;
}

/**
 * Brings every chunk back to rows, each in a transaction of its own: killed in between, it goes on where it was. It
 * has to run outside a transaction.
 */
export function leaveColumnstore(table: string): string {
  return `DO $timelift$
DECLARE
  chunk regclass;
  chunks regclass[];
BEGIN
  CALL remove_columnstore_policy(${text(identifier(table))}, if_exists => true);
  SELECT array_agg(format('%I.%I', chunk_schema, chunk_name)::regclass ORDER BY range_start) INTO chunks
    FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = ${text(table)} AND is_compressed;
  FOREACH chunk IN ARRAY coalesce(chunks, '{}') LOOP
    CALL convert_to_rowstore(chunk, if_columnstore => true);
    COMMIT;
  END LOOP;
END
$timelift$;`;
}

/** Takes the settings away, once every chunk is rows. */
export function disableColumnstore(table: string): string {
  return `ALTER TABLE ${identifier(table)} SET (timescaledb.enable_columnstore = false);`;
}

/** Starts the job that moves chunks; it runs at once, so it comes after the load. */
export function addColumnstorePolicy(table: string, { after }: ColumnstorePolicyArgs): string {
  return `CALL add_columnstore_policy(${text(identifier(table))}, after => ${intervalSql(after)}, if_not_exists => true);`;
}

/** Stops the job; chunks stay where they are. */
export function removeColumnstorePolicy(table: string): string {
  return `CALL remove_columnstore_policy(${text(identifier(table))}, if_exists => true);`;
}

function orderColumn(column: string): string {
  const [name = column, ...direction] = column.split(" ");
  return [identifier(name), ...direction.map((word) => word.toUpperCase())].join(" ");
}
