import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import type { Check } from "../validation-report.ts";
import { stopwatch } from "./stopwatch.ts";

/** A table that must be a hypertable. */
export interface ExpectedHypertable {
  table: string;
  /** The time column. */
  column: string;
  /** The span of a chunk as PostgreSQL reads it, `1 month`; for a whole-number column, a number. */
  interval: string;
}

/** TimescaleDB counts a chunk's span in microseconds: a month is 30 days, a year twelve of them. */
const seconds = (interval: string) =>
  `(date_part('year', ${interval}) * 360 + date_part('month', ${interval}) * 30 + date_part('day', ${interval})) * 86400
   + date_part('hour', ${interval}) * 3600 + date_part('minute', ${interval}) * 60 + date_part('second', ${interval})`;

/** Whether each table that was declared one is a hypertable, with the declared time column and chunk span. */
export async function checkHypertables(
  expected: ExpectedHypertable[],
  client: pg.ClientBase,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const each of expected) {
    const ms = stopwatch();
    const actual = await dimensionOf(each, client);
    checks.push({
      name: `${each.table} hypertable`,
      status: actual?.same ? "PASS" : "FAIL",
      expected: `by ${each.column}, chunks of ${each.interval}`,
      actual: actual ? `by ${actual.column}, chunks of ${actual.span}` : "a plain table",
      ms: ms(),
    });
  }
  return checks;
}

async function dimensionOf(
  { table, column, interval }: ExpectedHypertable,
  client: pg.ClientBase,
): Promise<{ column: string; span: string; same: boolean } | undefined> {
  const installed = await client.query<{ found: boolean }>(
    "SELECT to_regclass('timescaledb_information.dimensions') IS NOT NULL AS found",
  );
  if (!installed.rows[0]?.found) return undefined;
  const whole = /^\d+$/.test(interval);
  const same = whole
    ? "integer_interval = $2::bigint"
    : `${seconds("time_interval")} = ${seconds("$2::interval")}`;
  const { rows } = await client.query<{ column: string; span: string; same: boolean }>(
    `SELECT column_name::text AS column, coalesce(time_interval::text, integer_interval::text) AS span,
       coalesce(${same}, false) AS same
     FROM timescaledb_information.dimensions
     WHERE to_regclass(format('%I.%I', hypertable_schema, hypertable_name)) = to_regclass($1)
       AND dimension_number = 1`,
    [quoteIdentifier(table), interval],
  );
  const found = rows[0];
  return found && { ...found, same: found.same && found.column === column };
}
