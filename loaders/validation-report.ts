/** PASS, FAIL, or SKIP with a reason. */
export type CheckStatus = "PASS" | "FAIL" | "SKIP";

/** One finding; every check of the validation is such a value. */
export interface Check {
  /** e.g. `price_history checksum`. */
  name: string;
  status: CheckStatus;
  expected: string;
  actual: string;
  /** Why it was skipped, what fallback stands in, or which rows differ. */
  note?: string;
  ms: number;
}

export interface ValidationReport {
  /** PASS when no check failed. */
  status: "PASS" | "FAIL";
  checks: Check[];
  rows: number;
  ms: number;
}
