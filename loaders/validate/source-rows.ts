import type { RowSink } from "./row-sink.ts";
import type { UnfitRows } from "./unfit-rows.ts";

/** The rows of one source table, however they are read: every way gives the same canonical bytes. */
export interface SourceRows {
  /** The most that rounding to the declared scale moved a value, for each column. */
  readonly rounding: number[];
  /**
   * Gives every row to `sink`, but those that the target cannot hold to `unfit`, and none that `unfit` refuses.
   * @returns how many rows were read
   */
  each(sink: RowSink, unfit: UnfitRows, onRows: (rows: number) => void): Promise<number>;
}
