import type { MeasuredLoad, TableSize } from "./measured-load.ts";
import type { RacedQuery } from "./query-race.ts";
import type { Verdict } from "./verdict.ts";

/** What was measured of one hypertable: declared choices beside advised ones. */
export interface MeasuredTable {
  table: string;
  /** Rows that were loaded, and those that the source has. */
  rows: number;
  of: number;
  /** The stretch of time that was loaded, ISO 8601; null for all of it. */
  stretch: [from: string, until: string] | null;
  declared: TableSize;
  /** Null where nothing else is advised. */
  advised: TableSize | null;
  verdict: Verdict | null;
}

/** What a measurement found. */
export interface Measurement {
  server: string;
  /** Whether columnstores were part of it. */
  columnstore: boolean;
  declared: Pick<MeasuredLoad, "loadMs" | "columnstoreMs">;
  advised: Pick<MeasuredLoad, "loadMs" | "columnstoreMs"> | null;
  tables: MeasuredTable[];
  queries: MeasuredQuery[];
}

/** One query: SQLite on the same rows, the declared choices, the advised ones. */
export interface MeasuredQuery extends Omit<RacedQuery, "timescaleMs"> {
  /** Hypertables that it names. */
  tables: string[];
  declaredMs: number | null;
  advisedMs: number | null;
}
