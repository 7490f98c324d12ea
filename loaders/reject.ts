/** One value that its target column cannot hold, or several that are a key which the target would refuse. */
export interface RejectedValue {
  /** Target column, or the key's columns. */
  column: string;
  /** SQLite class and at most 200 characters of it; of a key, each value's. */
  value: string;
  /** What is wrong with it, equal for equal problems. */
  reason: string;
}

/** A source row that was not loaded, with every value that stood in the way. Plain data: it crosses threads. */
export interface RejectedRow {
  /** By which it is read again; null where the table is not read by rowid. */
  rowid: bigint | null;
  /** Digest of its values, by which it is known where it has no rowid. */
  digest: string | null;
  /** The row as a person finds it: `symbol text "AAPL"` or `rowid 17`. */
  key: string;
  values: RejectedValue[];
}
