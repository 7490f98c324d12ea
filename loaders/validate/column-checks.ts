import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import type { Check } from "../validation-report.ts";
import { type ComparedTable, targetSql } from "./compared-table.ts";
import { stopwatch } from "./stopwatch.ts";
import { count } from "./table-content.ts";

/** A default whose value does not depend on when or how often it is computed. */
const constant = /^(NULL|true|false|-?[\d.]+|\(-?[\d.]+\)|'([^']|'')*')(::[\w\s"().,[\]]+)?$/i;

/** Columns that the source has nothing for must hold their default, or NULL, in every row: one look at the table. */
export async function checkAbsent(table: ComparedTable, client: pg.ClientBase): Promise<Check[]> {
  const ms = stopwatch();
  const columns: { name: string; standard: string | null }[] = [];
  for (const name of table.absent) columns.push({ name, standard: await defaultOf(table, name, client) });
  const isConstant = (standard: string | null) => standard === null || constant.test(standard);
  const compared = columns.filter(({ standard }) => isConstant(standard));
  const filled = await rowsFilled(table, compared, client);
  return columns.map(({ name: column, standard }): Check => {
    const name = `${table.name} absent ${column}`;
    if (!isConstant(standard)) {
      const note = `its default, ${standard}, differs from row to row`;
      return { name, status: "SKIP", expected: "the default", actual: "not compared", note, ms: 0 };
    }
    const rows = filled.get(column) ?? 0;
    const expected = `${standard ?? "NULL"} in every row`;
    return {
      name,
      status: rows === 0 ? "PASS" : "FAIL",
      expected,
      actual: rows === 0 ? expected : `${count(rows)} rows with another value`,
      ms: ms(),
    };
  });
}

/** Column -> rows in which it is not its default. */
async function rowsFilled(
  table: ComparedTable,
  columns: { name: string; standard: string | null }[],
  client: pg.ClientBase,
): Promise<Map<string, number>> {
  if (columns.length === 0) return new Map();
  const counts = columns.map(
    ({ name, standard }) =>
      `count(*) FILTER (WHERE ${quoteIdentifier(name)} IS DISTINCT FROM (${standard ?? "NULL"}))::text`,
  );
  const { rows } = await client.query<{ counts: string[] }>(
    `SELECT ARRAY[${counts.join(", ")}] AS counts FROM ${targetSql(table)}`,
  );
  return new Map(columns.map(({ name }, index) => [name, Number(rows[0]?.counts[index])]));
}

async function defaultOf(
  table: ComparedTable,
  column: string,
  client: pg.ClientBase,
): Promise<string | null> {
  const { rows } = await client.query<{ standard: string | null }>(
    `SELECT pg_get_expr(adbin, adrelid) AS standard
     FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attrelid = $1::regclass AND attname = $2`,
    [targetSql(table), column],
  );
  return rows[0]?.standard ?? null;
}

/** Each identity or serial column's sequence must go on beyond the greatest value, or the next insert collides. */
export async function checkSequences(table: ComparedTable, client: pg.ClientBase): Promise<Check[]> {
  const { rows } = await client.query<{ column: string; sequence: string; readable: boolean; step: string }>(
    `SELECT attname::text AS column, sequence::regclass::text AS sequence, seqincrement::text AS step,
       has_sequence_privilege(sequence, 'SELECT') AS readable
     FROM pg_attribute,
       LATERAL (SELECT pg_get_serial_sequence($1, attname)::regclass::oid AS sequence) AS owned
       JOIN pg_sequence ON seqrelid = sequence
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
     ORDER BY attnum`,
    [targetSql(table)],
  );
  const checks: Check[] = [];
  for (const { column, sequence, readable, step } of rows) {
    const ms = stopwatch();
    const name = `${table.name} sequence of ${column}`;
    if (!readable) {
      const note = `this role may not read it: GRANT SELECT ON SEQUENCE ${sequence}`;
      checks.push({ name, status: "SKIP", expected: "beyond the rows", actual: "not read", note, ms: ms() });
      continue;
    }
    const found = await client.query<{ next: string; greatest: string | null }>(
      `SELECT (CASE WHEN is_called THEN last_value + $1::bigint ELSE last_value END)::text AS next,
         (SELECT max(${quoteIdentifier(column)})::text FROM ${targetSql(table)}) AS greatest
       FROM ${sequence}`,
      [step],
    );
    const { next = "", greatest = null } = found.rows[0] ?? {};
    checks.push({
      name,
      status: greatest === null || BigInt(next) > BigInt(greatest) ? "PASS" : "FAIL",
      expected: greatest === null ? "any, for there is no row" : `beyond ${count(Number(greatest))}`,
      actual: `next ${count(Number(next))}`,
      ms: ms(),
    });
  }
  return checks;
}
