import type pg from "pg";
import type { CheckStatus, ValidationReport } from "./validation-report.ts";

/** Makes the table of last results; harmless where it is there. */
export const createValidation = `
  CREATE TABLE IF NOT EXISTS timelift.validation (
    workload text PRIMARY KEY,
    status text NOT NULL,
    passed integer NOT NULL,
    failed integer NOT NULL,
    skipped integer NOT NULL,
    rows bigint NOT NULL,
    ms double precision NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now()
  )`;

/**
 * Keeps a validation's result in `timelift.validation` of the target, in place of the one before: how many checks
 * passed, failed and were skipped, and no row of either side. A validation itself writes nothing; this takes the
 * connection of the loading role, after `Ledger.open`.
 */
export async function recordValidation(
  client: pg.ClientBase,
  workload: string,
  { status, checks, rows, ms }: ValidationReport,
): Promise<void> {
  const count = (of: CheckStatus) => checks.filter((check) => check.status === of).length;
  await client.query(
    `INSERT INTO timelift.validation (workload, status, passed, failed, skipped, rows, ms, finished_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, now())
     ON CONFLICT (workload) DO UPDATE SET status = excluded.status, passed = excluded.passed,
       failed = excluded.failed, skipped = excluded.skipped, rows = excluded.rows, ms = excluded.ms,
       finished_at = excluded.finished_at`,
    [workload, status, count("PASS"), count("FAIL"), count("SKIP"), rows, ms],
  );
}
