import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import type { Check } from "../validation-report.ts";
import { stopwatch } from "./stopwatch.ts";

/** Whether a table is there that the source has nothing for; its rows are the application's alone. */
export async function checkTargetOnly(table: string, client: pg.ClientBase): Promise<Check> {
  const ms = stopwatch();
  const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
    quoteIdentifier(table),
  ]);
  const isThere = rows[0]?.there === true;
  return {
    name: `${table} target-only`,
    status: isThere ? "PASS" : "FAIL",
    expected: "the table, without a source",
    actual: isThere ? "there; its rows are not compared" : "no such table",
    ms: ms(),
  };
}
