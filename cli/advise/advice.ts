import type { Lateness } from "../../loaders/survey/lateness.ts";
import type { RowsPerPeriod } from "../../loaders/survey/row-times.ts";
import type { Edition } from "../../migrations/edition.ts";
import type { MeasuredQuery, MeasuredTable, Measurement } from "./measure/measurement.ts";

/** One choice for a hypertable: what is advised beside what is declared, and why. */
export interface Choice<Value> {
  advised: Value;
  /** Null where the migrations declare none. */
  declared: Value | null;
  /** Each with its figure. */
  reasons: string[];
}

/** What was measured of a hypertable's rows in the source. */
export interface TableFigures {
  /** Rows that the loader takes. */
  rows: number;
  /** Rows that were read one by one; fewer than `rows` where a sample says enough. */
  read: number;
  /** Rows among those read whose time cannot be read. */
  timeless: number;
  /** The first and the last moment, ISO 8601. */
  from: string;
  until: string;
  /** Bytes of a row in PostgreSQL, and of its entries in all keys and indexes; computed from the lengths of values. */
  rowBytes: number;
  indexBytes: number;
  periods: PeriodFigures[];
  /** Columns that queries name by =, alone and together -> how many values they have. */
  segments: { columns: string[]; values: number | null }[];
  lateness: Lateness | null;
}

/** What periods of one length hold. */
export interface PeriodFigures extends RowsPerPeriod {
  /** `1 month`, as TimescaleDB counts it: 30 days. */
  period: string;
  /** Rows of one segment in one period, in the order of `segments`; null where there are nearly as many as rows. */
  perSegment: (number | null)[];
}

/** What is said of one index. */
export interface IndexAdvice {
  kind: "serves" | "missing" | "redundant" | "unused";
  text: string;
  /** The line of a migration that adds it, for a missing one. */
  migration?: string;
}

/** What is advised for one hypertable. */
export interface HypertableAdvice {
  table: string;
  time: string;
  /** Null where the source has no rows for it, or none whose time can be read. */
  figures: TableFigures | null;
  /** Why there is nothing to gain; null where there is. */
  nothingToGain: string | null;
  chunk: Choice<string>;
  columnstore: {
    segmentBy: Choice<string[]>;
    orderBy: Choice<string[]>;
    after: Choice<string>;
  } | null;
  indexes: IndexAdvice[];
  /** Commands that put what differs from the declared choices into the stack's config; none once withdrawn. */
  config: string[];
  /** Words of a migration for what the config cannot set, because nothing is declared. */
  migration: string[];
  /** Where a sample was loaded. */
  measured?: MeasuredTable;
}

/** One of the application's queries, as SQLite answers it. */
export interface QueryAdvice {
  name: string;
  /** Hypertables that it names. */
  tables: string[];
  /** Null where SQLite refused it; `answer` says why. */
  sqliteMs: number | null;
  rows: number;
  /** How SQLite finds its rows. */
  answer: string;
  /** True where no server could answer as fast; once measured, where none did. */
  sqliteWins: boolean;
  /** Where a sample was loaded: both engines on the same rows. */
  measured?: MeasuredQuery;
}

/** Everything that is advised for a workload. */
export interface WorkloadAdvice {
  workload: string;
  /** File name of the source. */
  source: string;
  edition: Edition;
  memoryMb: number;
  hypertables: HypertableAdvice[];
  queries: QueryAdvice[];
  /** Where a sample was loaded. */
  measurement?: Omit<Measurement, "tables" | "queries">;
}

/** Whether the advice is to leave a choice as it is. */
export function isAsDeclared<Value>({ advised, declared }: Choice<Value>): boolean {
  return JSON.stringify(advised) === JSON.stringify(declared);
}
