import type Database from "better-sqlite3";
import type pg from "pg";
import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import { readRows } from "../reverse/binary-rows.ts";
import type { ReverseTable } from "../reverse/reverse-plan.ts";

/**
 * Makes a table without types, in which SQLite keeps every value as it comes. Returns what adds a row to it and gives the
 * row's rowid.
 */
export function createSidecar(
  database: Database.Database,
  name: string,
  columns: string[],
  key: string[] = [],
): (row: SourceValue[]) => number | bigint {
  const list = columns.map(quoteIdentifier).join(", ");
  const primary = key.length === 0 ? "" : `, PRIMARY KEY (${key.map(quoteIdentifier).join(", ")})`;
  database.exec(`CREATE TABLE ${quoteIdentifier(name)} (${list}${primary})`);
  const insert = database.prepare(
    `INSERT INTO ${quoteIdentifier(name)} VALUES (${columns.map(() => "?").join(", ")})`,
  );
  return (row) => insert.run(row).lastInsertRowid;
}

/** A default whose value does not depend on when or how often it is computed. */
const constant = /^(NULL|true|false|-?[\d.]+|\(-?[\d.]+\)|'([^']|'')*')(::[\w\s"().,[\]]+)?$/i;

/** What columns hold that nobody wrote to. */
export interface Defaults {
  /** Column -> value, as the source would spell it; columns whose default differs from row to row are left out. */
  values: Map<string, SourceValue>;
  /** SQL of PostgreSQL: whether any column of a row holds something else. */
  differs: string;
}

/** Reads the defaults of a table's columns that the loader does not fill. */
export async function readDefaults(
  client: pg.ClientBase,
  { target, extras }: Pick<ReverseTable, "target" | "extras">,
): Promise<Defaults> {
  const { rows } = await client.query<{ name: string; standard: string }>(
    `SELECT a.attname AS name, pg_get_expr(d.adbin, d.adrelid) AS standard
     FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
     WHERE d.adrelid = to_regclass($1)`,
    [quoteIdentifier(target.name)],
  );
  const declared = new Map(rows.map(({ name, standard }) => [name, standard]));
  const values = new Map<string, SourceValue>();
  const differs: string[] = [];
  for (const { target: name, type, speller, natural } of extras) {
    if (natural !== null) continue;
    const identity = target.columns.find((column) => column.name === name)?.identity ?? "no";
    const standard = declared.get(name);
    const column = quoteIdentifier(name);
    if (identity !== "no" || (standard !== undefined && !constant.test(standard))) {
      differs.push("true");
    } else if (standard === undefined) {
      values.set(name, null);
      differs.push(`${column} IS NOT NULL`);
    } else {
      await readRows(client, [{ sql: `(${standard})`, type }], "", ([value = null]) => {
        values.set(name, speller.write(value));
      });
      differs.push(`${column}::text IS DISTINCT FROM (${standard})::text`);
    }
  }
  return { values, differs: differs.length === 0 ? "false" : differs.join(" OR ") };
}

/** A value as SQL of SQLite. */
export function literal(value: SourceValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return `x'${value.toString("hex")}'`;
  if (!Number.isFinite(value)) return value > 0 ? "9e999" : "-9e999";
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
