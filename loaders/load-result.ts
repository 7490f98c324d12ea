/** A range of one source table, as last loaded; small enough for thousands to live in Pulumi's state. */
export interface Part {
  /** First and last rowid, inclusive; null for a table that is one part (no rowid). */
  lo: number | null;
  hi: number | null;
  rows: number;
  /** Digest of the raw source values of every row of the part, hex. */
  digest: string;
}

/** What a load would do to one table, found without a connection to the target. */
export interface TablePlan {
  /** Rows the source holds now. */
  rows: number;
  /** One line for a reviewer: "5,665 rows to load", "unchanged", "+26 rows; 1 of 12 parts changed". */
  change: string;
  parts: Part[];
}

/** What preview shows: the source as it is now against the parts of the last load. */
export interface LoadPlan {
  fingerprint: string;
  /** Target table -> plan. */
  tables: Record<string, TablePlan>;
  /** Source tables that no loader entry names. */
  ignored: string[];
}

/** What happened to one table. */
export interface TableLoad {
  rows: number;
  inserted: number;
  updated: number;
  deleted: number;
  ms: number;
}

/** Outcome of a load, kept as the resource's outputs. */
export interface LoadResult {
  /** Fingerprint of the source as it was read. */
  fingerprint: string;
  tables: Record<string, TableLoad>;
  parts: Record<string, Part[]>;
  rows: number;
  ms: number;
}
