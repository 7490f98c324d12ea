/** Marks a source column that the target does not have. */
export const drop = Symbol("drop");

/** How timelift finds out what changed in a source table since the last load. */
export type Change =
  /** Every part is read again and its digest compared: finds every insert, update and delete. The default. */
  | { kind: "full" }
  /** Rows are only ever added, with a growing source column `key`: only rows beyond the last one are read. */
  | { kind: "append"; key: string }
  /** Every write sets the source column `column`: only rows at or beyond the last value are read; deletes are not seen. */
  | { kind: "updatedAt"; column: string };

export const full: Change = { kind: "full" };
export const append = (key: string): Change => ({ kind: "append", key });
export const updatedAt = (column: string): Change => ({ kind: "updatedAt", column });

/** What becomes of one source column: a new name, or nothing at all. */
export type ColumnRule = string | typeof drop;

/** What differs from "the same name, the obvious type" for one target table. */
export interface TableDefinition {
  /**
   * The source table or view.
   * @default the target table's name
   */
  from?: string;
  /** SQL condition over the source row; rows that fail it are not part of the load. */
  where?: string;
  /**
   * Target columns that give the order in which rows are written; choose what suits the chunks. It holds within a part
   * (50,000 rows of the source, or 32 MB of them), not across parts: a part is what a killed load resumes by.
   * @default the source's rowid
   */
  order?: string[];
  /**
   * Source column -> target column, or `drop`. Columns left out keep their name.
   * @default {}
   */
  columns?: Record<string, ColumnRule>;
  /**
   * Target columns the source has nothing for; they get their default or NULL.
   * @default []
   */
  absent?: string[];
  /**
   * How changes are found on the next load.
   * @default full
   */
  change?: Change;
}

/** A query the application runs, in both dialects; both must give the same rows. */
export interface WorkloadQuery {
  sqlite: string;
  timescale: string;
}

/** How one application's SQLite tables become target tables. */
export interface LoaderDefinition {
  /** Target table -> what differs. A source table that no entry names is reported, not loaded. */
  tables: Record<string, TableDefinition>;
  /** Queries timed and compared on both sides. */
  queries?: Record<string, WorkloadQuery>;
}

/** Declares a loader; a workload's `loader.ts` exports the result as default. */
export function defineLoader(definition: LoaderDefinition): LoaderDefinition {
  return definition;
}
