import type { Thresholds } from "./validate/thresholds.ts";

/** PASS, FAIL, or SKIP with a reason. */
export type CheckStatus = "PASS" | "FAIL" | "SKIP";

/** One finding; every check of the validation is such a value. */
export interface Check {
  /** e.g. `price_history checksum`. */
  name: string;
  status: CheckStatus;
  expected: string;
  actual: string;
  /** Why it was skipped, what fallback stands in, or which rows differ. */
  note?: string;
  /** `object` for what migrations declare besides tables: aggregates, policies, guards. */
  of?: "object";
  ms: number;
}

/** One column's value on both sides, as a person reads it; null for NULL. */
export interface ColumnDifference {
  column: string;
  source: string | null;
  target: string | null;
}

/** A row that is not the same on both sides. */
export interface RowDifference {
  kind: "changed" | "missing" | "extra";
  /** Column and value of the key, as `symbol 'AAPL', time '2024-01-02 …'`. */
  key: string;
  /** The columns that differ; of a missing or extra row, all of them. */
  columns: ColumnDifference[];
}

/** What was found out about one table's rows. */
export interface TableReport {
  name: string;
  /** Rows that the source holds. */
  sourceRows: number;
  targetRows: number;
  /** Rows of the source that cannot be in the target: for a value that its type cannot hold, or for a key. */
  unfitRows: number;
  /** Rows that differ, are missing or extra; the unfit ones apart. */
  differingRows: number;
  /** False when the search stopped before it had counted them all. */
  complete: boolean;
  /** The first of them. */
  differences: RowDifference[];
  ms: number;
}

/** One of the workload's queries, timed on both sides. */
export interface QueryTime {
  name: string;
  analytical: boolean;
  /** Rows of the answer. */
  rows: number;
  sqliteMs: number;
  timescaleMs: number;
}

/** What a report is about, in names that hold no credential and no folder. */
export interface ReportSubject {
  workload: string;
  /** The source's file name. */
  source: string;
  /** The target's database, with host and port. */
  target: string;
  /** When the validation began, in ISO 8601. */
  at: string;
}

/** How one table came into the target: the load that brought most of its rows. */
export interface TableLoad {
  table: string;
  /** When each part was done, in milliseconds since that load began, and its rows. */
  points: { ms: number; rows: number }[];
}

/** What the ledger remembers of the load. */
export interface LoadHistory {
  tables: TableLoad[];
  /** Why there are none. */
  missing?: string;
}

export interface ValidationReport {
  /** PASS when no check failed. */
  status: "PASS" | "FAIL";
  checks: Check[];
  tables: TableReport[];
  queries: QueryTime[];
  /** Rows of the source that were compared. */
  rows: number;
  ms: number;
  /** What was demanded. */
  thresholds?: Thresholds;
  subject?: ReportSubject;
  load?: LoadHistory;
}
