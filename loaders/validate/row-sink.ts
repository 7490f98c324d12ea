import type { RowBytes } from "./row-bytes.ts";

/** Takes the rows of one side of a table, one after the other. */
export interface RowSink {
  /** @param row the row in canonical bytes, used again for the next @param origin lets a person read it */
  add(row: RowBytes, origin: RowOrigin): void;
}

/** Where a row came from. */
export interface RowOrigin {
  /** The value of each compared column as a person reads it there; null for NULL. */
  texts(): (string | null)[];
}
