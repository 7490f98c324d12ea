import type { RejectedRow } from "./reject.ts";
import { TimeliftError } from "./timelift-error.ts";

/** Ends a load in which far more rows are rejected than allowed; `runLoad` turns it into one that says which. */
export class RejectFlood extends TimeliftError {
  readonly table: string;
  /** Rejected rows that no ledger keeps, for what they were part of was not committed. */
  readonly rejects: RejectedRow[];

  constructor(table: string, rejects: RejectedRow[]) {
    super({
      code: "rows-rejected",
      subject: `target table ${table}`,
      problem: "too many rows do not fit.",
      remedy: "timelift rejects lists them.",
    });
    this.table = table;
    this.rejects = rejects;
  }
}
