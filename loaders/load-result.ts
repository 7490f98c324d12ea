/** A range of one source table, as last loaded; small enough for thousands to live in Pulumi's state. */
export interface Part {
  /** First and last rowid, inclusive; null for a part that is no rowid range. */
  lo: number | null;
  hi: number | null;
  /** Rows in the target. */
  rows: number;
  /**
   * Rows that were read and rejected.
   * @default 0
   */
  rejected?: number;
  /** Digest of the raw source values of every row of the part, hex; rejected rows are part of it. */
  digest: string;
  /**
   * For a table with `append` or `updatedAt`: the last value of that column, as `i:42`, `r:1.5` or `t:2024-01-31`.
   */
  upTo?: string;
}

/** Rows of the source that a part covers, loaded or rejected. */
export function sourceRows(part: Part): number {
  return part.rows + (part.rejected ?? 0);
}

/** What a load would do to one table, found without a connection to the target. */
export interface TablePlan {
  /** Rows the source holds now. */
  rows: number;
  /** One line for a reviewer: "5,665 rows to load", "unchanged", "+26 rows; 1 of 12 parts changed (+1 row)". */
  change: string;
  /**
   * The parts of the last load that still hold: all of them when unchanged. Those of rows still to be loaded are known
   * after the load only (`LoadResult.parts`), so that a preview need not read every row of a first load.
   */
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
  /** Rows in the target that came from the source. */
  rows: number;
  inserted: number;
  updated: number;
  deleted: number;
  /**
   * Rows of the source that are not in the target because a value does not fit, or a key refuses them.
   * @default 0
   */
  rejected?: number;
  ms: number;
}

/** Outcome of a load, kept as the resource's outputs. */
export interface LoadResult {
  /** Fingerprint of the source as it was read. */
  fingerprint: string;
  tables: Record<string, TableLoad>;
  parts: Record<string, Part[]>;
  rows: number;
  /**
   * Rejected rows of all tables.
   * @default 0
   */
  rejected?: number;
  ms: number;
}
