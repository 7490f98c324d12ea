import pg from "pg";
import type { Check } from "../validation-report.ts";
import type { RowCounts } from "./claimed-rows.ts";
import { count } from "./table-content.ts";
import type { Thresholds } from "./thresholds.ts";
import type { UnfitReport } from "./unfit-rows.ts";

/** How many rows of each table the load rejected, as its ledger says; or why that is not known. */
export interface LoadRejects {
  tables: Map<string, number>;
  /** Table -> which rows it says they are. */
  claimed: Map<string, RowCounts>;
  /** Why there are none. */
  missing?: string;
}

/** Reads from the ledger how many rows of each table were rejected. What cannot be read is said, never an error. */
export async function readLoadRejects(client: pg.ClientBase, workload: string): Promise<LoadRejects> {
  await client.query("SAVEPOINT rejects");
  try {
    const { rows } = await client.query<{ table: string; rejected: string }>(
      `SELECT table_name AS "table", sum(rejected)::text AS rejected
       FROM timelift.load_part WHERE workload = $1 GROUP BY table_name`,
      [workload],
    );
    const tables = new Map(rows.map(({ table, rejected }) => [table, Number(rejected)]));
    return { tables, claimed: await readClaims(client, workload) };
  } catch (error) {
    const reason = error instanceof pg.DatabaseError ? reasons[error.code ?? ""] : undefined;
    if (reason === undefined) throw error;
    await client.query("ROLLBACK TO SAVEPOINT rejects");
    return { tables: new Map(), claimed: new Map(), missing: reason };
  }
}

/**
 * Rows without a rowid that are equal in all their values have as many lines for each of their problems. An older ledger
 * has no digests, and names no row without a rowid.
 */
async function readClaims(client: pg.ClientBase, workload: string): Promise<Map<string, RowCounts>> {
  const { rows } = await client.query<{
    table: string;
    rowid: string | null;
    digest: string | null;
    rows: string;
  }>(
    `SELECT table_name AS "table", rowid::text, row_digest AS digest, max(lines)::text AS rows
     FROM (SELECT table_name, rowid, to_jsonb(line) ->> 'row_digest' AS row_digest, count(*) AS lines
           FROM timelift.reject AS line WHERE workload = $1 GROUP BY 1, 2, 3, column_name, reason) AS problems
     GROUP BY 1, 2, 3`,
    [workload],
  );
  const claimed = new Map<string, RowCounts>();
  for (const { table, rowid, digest, rows: lines } of rows) {
    const id = rowid === null ? digest : Number(rowid);
    if (id === null) continue;
    const counts: RowCounts = claimed.get(table) ?? new Map();
    claimed.set(table, counts.set(id, typeof id === "number" ? 1 : Number(lines)));
  }
  return claimed;
}

/** By SQLSTATE. */
const reasons: Record<string, string> = {
  "42501": "this role may not read the load's ledger (GRANT SELECT ON timelift.load_part, timelift.reject)",
  "42P01": "the target holds no ledger of a load",
  "3F000": "the target holds no ledger of a load",
  "42703": "the load's ledger is older than rejects",
};

/**
 * Whether the load left out exactly the rows that the target cannot hold, and no more of them than allowed. The
 * validator finds them by its own rules.
 */
export function checkRejects(
  table: string,
  unfit: UnfitReport,
  load: LoadRejects,
  thresholds: Thresholds,
): Check {
  const rejected = load.tables.get(table);
  // Where a share of the rows is asked for, rejected ones count there.
  const allowed =
    thresholds.rejectedRows ?? (thresholds.completeness === undefined ? 0 : Number.POSITIVE_INFINITY);
  const unknown =
    rejected === undefined ? (load.missing ?? "the ledger holds no part of this table") : undefined;
  const { refused, untrue } = unfit;
  const fits =
    unfit.rows <= allowed && (rejected === undefined || rejected === unfit.rows) && untrue.rows === 0;
  const unfitValues = unfit.rows - refused;
  const notes = [
    ...(untrue.rows > 0
      ? [
          `${count(untrue.rows)} ${untrue.rows === 1 ? "row was" : "rows were"} rejected without a reason that holds`,
          ...untrue.examples,
        ]
      : []),
    ...(unfitValues > 0
      ? [
          `${count(unfitValues)} ${unfitValues === 1 ? "row holds" : "rows hold"} a value that the target's type cannot`,
        ]
      : []),
    ...(refused > 0
      ? [
          `${count(refused)} ${refused === 1 ? "row has" : "rows have"} no parent that is loaded, or the key of an earlier row: found in the source`,
        ]
      : []),
    ...unfit.examples.map(({ key, problems }) => `${key}: ${problems.join("; ")}`),
    ...(unfitValues > unfit.examples.length && unfit.examples.length > 0
      ? [`… and ${count(unfitValues - unfit.examples.length)} more`]
      : []),
    ...(unfit.rows > allowed ? [`at most ${count(allowed)} are allowed`] : []),
    ...(unknown === undefined ? [] : [`not compared with what the load rejected: ${unknown}`]),
  ];
  return {
    name: `${table} rejects`,
    status: !fits ? "FAIL" : unknown !== undefined && unfit.rows > 0 ? "SKIP" : "PASS",
    expected:
      rejected === undefined
        ? unfit.rows > allowed
          ? `at most ${count(allowed)}`
          : "none"
        : `${count(rejected)} rejected by the load`,
    actual: `${count(unfit.rows)} that the target cannot hold`,
    ...(notes.length > 0 && { note: notes.join("\n") }),
    ms: 0,
  };
}
