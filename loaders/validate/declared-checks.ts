import pg from "pg";
import type { Check } from "../validation-report.ts";
import { stopwatch } from "./stopwatch.ts";

/** Something that migrations declare apart from tables and keys: an aggregate, a policy, a guard. */
export interface DeclaredObject {
  /** `continuous aggregate ohlc_daily`. */
  name: string;
  /** What the server's edition makes of it, in words. */
  how: string;
  /** Why it is not TimescaleDB's own way. */
  reason?: string;
  /** It is not there, and `reason` says why. */
  skipped: boolean;
  /** Questions to the target, each answered by one row `pass boolean, actual text`. */
  questions: { about?: string; expected: string; sql: string }[];
}

/** Asks the target about everything declared. A fallback that does its work passes, with a note that names it. */
export async function checkDeclared(objects: DeclaredObject[], client: pg.ClientBase): Promise<Check[]> {
  const checks: Check[] = [];
  for (const object of objects) {
    const { name, how, reason = "", skipped, questions } = object;
    if (skipped) {
      checks.push({
        name,
        status: "SKIP",
        expected: how,
        actual: "skipped",
        note: reason,
        of: "object",
        ms: 0,
      });
      continue;
    }
    const more = { of: "object", ...(reason !== "" && { note: `fallback: ${how}; ${reason}` }) } as const;
    for (const { about, expected, sql } of questions) {
      const ms = stopwatch();
      const { pass, actual } = await ask(sql, client);
      const status = pass ? "PASS" : "FAIL";
      checks.push({ name: about ? `${name} ${about}` : name, status, expected, actual, ...more, ms: ms() });
    }
  }
  return checks;
}

/** What the target refuses to answer is a finding, not an end of the validation. */
async function ask(sql: string, client: pg.ClientBase): Promise<{ pass: boolean; actual: string }> {
  await client.query("SAVEPOINT declared");
  try {
    const { rows } = await client.query<{ pass: boolean | null; actual: string | null }>(sql);
    await client.query("RELEASE SAVEPOINT declared");
    const [answer] = rows;
    return { pass: answer?.pass === true, actual: answer?.actual ?? "not there" };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code?.startsWith("57")) throw error;
    await client.query("ROLLBACK TO SAVEPOINT declared");
    return { pass: false, actual: error.message };
  }
}
