import type { Freshness } from "./freshness.ts";

/** Marks a source column that the target does not have, or, as `rest`, all that `columns` does not name. */
export const drop = Symbol("drop");

/** Marks a target table that has no source: `from: none`. */
export const none = Symbol("none");

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

/** How numbers of a source column are read as moments. Without one a number says neither unit nor zero, and is rejected. */
export type Reading =
  /** Seconds, milliseconds or microseconds since 1970-01-01 UTC; a fraction is rounded to the nearest microsecond. */
  | { kind: "epoch"; unit: "s" | "ms" | "us" }
  /** Julian day numbers (2440587.5 is 1970-01-01 00:00 UTC); rounded to the nearest millisecond, as SQLite does. */
  | { kind: "julianDay" };

/** What becomes of one source column where a new name is not enough. */
export interface ColumnReading {
  /**
   * Target column.
   * @default the source column's name
   */
  to?: string;
  /**
   * How numbers, and texts that are numbers, become a date or timestamp; ISO texts in the same column stay what they are.
   * @default a number in a column of time is rejected
   */
  read?: Reading;
  /**
   * What an empty text becomes where the target's type is no text.
   * @default "reject"
   */
  empty?: "null" | "reject";
}

/** Numbers since 1970-01-01 UTC: `created: { read: epoch("ms") }`. */
export const epoch = (unit: "s" | "ms" | "us"): Reading => ({ kind: "epoch", unit });
/** Julian day numbers, as `julianday()` gives: `created: { read: julianDay }`. */
export const julianDay: Reading = { kind: "julianDay" };

/** What becomes of one source column: a new name, a way of reading, or nothing at all. */
export type ColumnRule = string | ColumnReading | typeof drop;

/** How the value of a derived column is read, as in `ColumnReading`. */
export type DerivationReading = Pick<ColumnReading, "read" | "empty">;

/** A target column whose value is worked out from the source row, by SQLite. Made by `expression` or `lookup`. */
export type Derivation = DerivationReading &
  (
    | { kind: "expression"; sql: string }
    /** `key`: column of the source table `from` -> column of the row itself. */
    | { kind: "lookup"; from: string; key: Record<string, string>; value: string }
  );

/**
 * SQL over the source row, in SQLite's dialect: `first_name: expression("coalesce(telegram_username, 'User')")`. The
 * same row must give the same value every time, or every load finds a change.
 */
export const expression = (sql: string, reading: DerivationReading = {}): Derivation => {
  return { kind: "expression", sql, ...reading };
};

/**
 * A column of another source table's row, found by key: `lookup("signals", { id: "signal_id" }, "as_of_ts")` is the
 * `as_of_ts` of the row of signals whose `id` is the row's own `signal_id`. NULL where there is no such row, or the key
 * is NULL. Rows of that table with the same key must not differ in the value (`lookup-ambiguous`).
 *
 * A change of the value there is a change of the row here, which `change: full` finds; `append` and `updatedAt` do not.
 */
export const lookup = (
  from: string,
  key: Record<string, string>,
  value: string,
  reading: DerivationReading = {},
): Derivation => ({ kind: "lookup", from, key, value, ...reading });

/** What differs from "the same name, the obvious type" for one target table. */
export interface TableDefinition {
  /**
   * The source table or view; several target tables may come from the same one. `none` for a target-only table: it has
   * to be there, nothing is loaded into it, and its rows are not looked at.
   * @default the target table's name
   */
  from?: string | typeof none;
  /** SQL condition over the source row; rows that fail it are not part of the load. */
  where?: string;
  /**
   * Target columns that give the order in which rows are written; choose what suits the chunks. It holds within a part
   * (50,000 rows of the source, or 32 MB of them), not across parts: a part is what a killed load resumes by.
   * @default the source's rowid
   */
  order?: string[];
  /**
   * Source column -> target column, a way of reading, or `drop`. What becomes of columns left out, `rest` says.
   * @default {}
   */
  columns?: Record<string, ColumnRule>;
  /**
   * What becomes of source columns that `columns` does not name: with `drop`, the target has none of them.
   * @default each goes to the target column of its name
   */
  rest?: typeof drop;
  /**
   * Target column -> how its value is worked out: `expression("…")` or `lookup(…)`. Such a table is read through SQLite,
   * not from its pages, which takes about half as long again.
   * @default {}
   */
  derive?: Record<string, Derivation>;
  /**
   * Target columns the source has nothing for; they get their default or NULL.
   * @default []
   */
  absent?: string[];
  /**
   * Source column -> what an export writes there, as SQL of PostgreSQL over the target row: for columns that the target
   * dropped, and for those that it cannot tell by itself. `{ kind: "'sensor'" }` is a fixed text. Dropped columns that may
   * be NULL or have a default, and an INTEGER PRIMARY KEY that nothing refers to, need none.
   * @default {}
   */
  reverse?: Record<string, string>;
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
  /**
   * Whether it reads much to tell little (aggregates over many rows); thresholds may ask that such a query is faster.
   * @default false
   */
  analytical?: boolean;
}

/** How one application's SQLite tables become target tables. */
export interface LoaderDefinition {
  /** Target table -> what differs. A source table that no entry names is reported, not loaded. */
  tables: Record<string, TableDefinition>;
  /** Queries timed and compared on both sides. */
  queries?: Record<string, WorkloadQuery>;
  /**
   * Hypertable -> when its next row is due, which monitoring watches.
   * @default nothing is said of how fresh a table has to be
   */
  freshness?: Record<string, Freshness>;
  /**
   * Tables that a narrowed load leaves out (`narrowLoader`): rows may refer to what the source has for them.
   * @default {}
   */
  bystanders?: Record<string, TableDefinition>;
}

/** Declares a loader; a workload's `loader.ts` exports the result as default. */
export function defineLoader(definition: LoaderDefinition): LoaderDefinition {
  return definition;
}

/** The name of the source table that an entry reads; the entry must not be target-only. */
export function sourceNameOf(target: string, { from = target }: TableDefinition): string {
  if (typeof from === "string") return from;
  throw new Error(`table ${target} has no source`);
}

/** The entries that rows are loaded for. */
export function loadedEntries({ tables }: Pick<LoaderDefinition, "tables">): [string, TableDefinition][] {
  return Object.entries(tables).filter(([, { from }]) => from !== none);
}

/** The target tables that only have to be there (`from: none`). */
export function targetOnlyTables({ tables }: Pick<LoaderDefinition, "tables">): string[] {
  return Object.keys(tables).filter((name) => tables[name]?.from === none);
}
