import { TimeliftError } from "../../loaders/timelift-error.ts";

/**
 * A contender that lost rows has no time worth telling.
 * @throws TimeliftError `bench-rows`
 */
export function requireRows(contender: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new TimeliftError({
    code: "bench-rows",
    subject: contender,
    problem: `it brought ${found.toLocaleString("en-US")} of ${expected.toLocaleString("en-US")} rows`,
    remedy: "leave it out (timelift bench --only …), and report it",
  });
}
