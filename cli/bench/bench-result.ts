import type { ApplicationResult } from "./application.ts";
import type { ServerSettings } from "./bench-server.ts";
import type { ColumnstoreResult } from "./columnstore.ts";
import { type ContenderName, contenderNames, type Run } from "./contender.ts";
import type { Machine } from "./machine.ts";
import type { Ratios } from "./ratios.ts";

/** Everything that one bench can measure, as `--only` names it. */
export const measures = [
  ...contenderNames,
  "validation",
  "unchanged",
  "incremental",
  "application",
  "columnstore",
] as const;
export type Measure = (typeof measures)[number];

/** All runs of one thing, and the median of each of their figures. */
export interface Measured {
  title: string;
  median: Run;
  runs: Run[];
}

/** Why there is no figure. */
export interface Skipped {
  skipped: string;
}

/** What one bench found out; what `--json` writes. */
export interface BenchResult {
  /** Rows of price_history in the source. */
  rows: number;
  seed: number;
  rounds: number;
  /** Size of the SQLite file in bytes. */
  sourceBytes: number;
  /** When it was measured, ISO 8601. */
  measuredAt: string;
  machine: Machine;
  settings: ServerSettings;
  contenders: Record<ContenderName, Measured | Skipped>;
  /** `timelift validate` of every row, after the load. */
  validation: Measured | Skipped;
  /** A second load of the same source. */
  unchanged: Measured | Skipped;
  /** The CLI doing nothing: `--help`. */
  emptyRun: Measured | Skipped;
  /** A load after the source has grown by 1 %. */
  incremental: Measured | Skipped;
  application: ApplicationResult | Skipped;
  columnstore: ColumnstoreResult | Skipped;
  ratios: Ratios;
}

/** What was not asked for is not even mentioned. */
export const leftOut: Skipped = { skipped: "left out by --only" };

export function isSkipped(value: object): value is Skipped {
  return "skipped" in value;
}
