/** Progress of a load, as it happens. */
export type LoadEvent =
  /**
   * The source can be read: in place, from the copy that was there, or from a new one. `longestLockMs` is how long
   * writers were locked out at most.
   */
  | { kind: "snapshot"; read: "in place" | "copy kept" | "new copy"; longestLockMs: number; ms: number }
  /** What is going to happen to a table. */
  | { kind: "table"; table: string; action: "unchanged" | "load" | "append" | "merge"; rows: number }
  /** Rows and bytes of binary COPY that this run has sent for a table so far; several times a second. */
  | { kind: "progress"; table: string; rows: number; bytes: number }
  /** A part is committed; `rows` of the table are in the target so far. */
  | { kind: "part"; table: string; rows: number }
  | { kind: "loaded"; table: string; inserted: number; updated: number; deleted: number; ms: number }
  /** The connection broke; the load goes on after `waitMs`. */
  | { kind: "retry"; attempt: number; of: number; waitMs: number; reason: string };
