import { type BenchResult, isSkipped, type Measured, type Skipped } from "./bench-result.ts";
import type { Run } from "./contender.ts";

/** Each figure that has a goal, as one number; null where it was not measured. */
export interface Ratios {
  /** timelift's load and primary key ÷ the floor. */
  floor: number | null;
  /** pgloader ÷ timelift's load and primary key. */
  pgloader: number | null;
  /** sling ÷ timelift's load and primary key. */
  sling: number | null;
  /** The pipe of shells ÷ timelift's load and primary key. */
  pipe: number | null;
  /** Validation of every row ÷ timelift's load without its key. */
  validation: number | null;
  /** A load that finds nothing new ÷ an empty run of the CLI. */
  unchanged: number | null;
  /** A load after 1 % new rows ÷ timelift's load without its key. */
  incremental: number | null;
  /** Community: a load that ends in the columnstore ÷ one that ends in rows. */
  columnstoreTime: number | null;
  /** Community: what lies in the columnstore ÷ the SQLite file. */
  columnstoreSize: number | null;
  /** Peak memory in MiB of all processes of a load or a validation, whichever took more. */
  memoryMb: number | null;
}

/** Ratios of medians. */
export function ratiosOf(result: Omit<BenchResult, "ratios">): Ratios {
  const { contenders, validation, unchanged, emptyRun, incremental, columnstore } = result;
  const timelift = medianOf(contenders.timelift);
  const load = timelift?.steps?.load ?? null;
  const wall = (value: Measured | Skipped) => medianOf(value)?.wallMs ?? null;
  const total = timelift?.wallMs ?? null;
  const memory = [timelift?.memoryMb, medianOf(validation)?.memoryMb].filter((mb) => typeof mb === "number");
  const community = isSkipped(columnstore) ? undefined : columnstore;
  return {
    floor: quotient(total, wall(contenders.floor)),
    pgloader: quotient(wall(contenders.pgloader), total),
    sling: quotient(wall(contenders.sling), total),
    pipe: quotient(wall(contenders.pipe), total),
    validation: quotient(wall(validation), load),
    unchanged: quotient(wall(unchanged), wall(emptyRun)),
    incremental: quotient(wall(incremental), load),
    columnstoreTime: community
      ? quotient(community.columnstore.median.wallMs, community.rowstore.median.wallMs)
      : null,
    columnstoreSize: community ? quotient(community.columnstoreBytes, result.sourceBytes) : null,
    memoryMb: memory.length > 0 ? rounded(Math.max(...memory)) : null,
  };
}

function medianOf(value: Measured | Skipped): Run | undefined {
  return isSkipped(value) ? undefined : value.median;
}

function quotient(dividend: number | null, divisor: number | null): number | null {
  return dividend === null || divisor === null ? null : rounded(dividend / divisor);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
