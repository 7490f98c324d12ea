import Database from "better-sqlite3";
import type pg from "pg";
import { drop, type LoaderDefinition } from "../loaders/define-loader.ts";
import { quoteIdentifier } from "../loaders/identifier.ts";

/** Fills the target with plain INSERTs, value by value, by PostgreSQL's own reading of text: no part of the loader. */
export async function insertSource(
  path: string,
  loader: LoaderDefinition,
  client: pg.ClientBase,
): Promise<void> {
  const source = new Database(path, { readonly: true });
  source.defaultSafeIntegers();
  await client.query("SET TimeZone = 'UTC'");
  for (const [table, definition] of Object.entries(loader.tables)) {
    const where = definition.where ? ` WHERE ${definition.where}` : "";
    const from = quoteIdentifier(definition.from ?? table);
    const rows = source.prepare(`SELECT * FROM ${from}${where}`).all() as Record<string, unknown>[];
    const columns = Object.keys(rows[0] ?? {}).filter((column) => definition.columns?.[column] !== drop);
    const names = columns.map((column) => quoteIdentifier(String(definition.columns?.[column] ?? column)));
    for (let start = 0; start < rows.length; start += 500) {
      const batch = rows.slice(start, start + 500);
      const values = batch.flatMap((row) => columns.map((column) => asParameter(row[column])));
      const places = batch.map(
        (_row, at) =>
          `(${columns.map((_column, index) => `$${at * columns.length + index + 1}`).join(", ")})`,
      );
      await client.query(
        `INSERT INTO ${quoteIdentifier(table)} (${names.join(", ")}) VALUES ${places.join(", ")}`,
        values,
      );
    }
    for (const column of columns.includes("id") ? ["id"] : []) {
      await client.query(
        `SELECT setval(pg_get_serial_sequence($1, $2), max(${column}) + 1, false) FROM ${quoteIdentifier(table)}`,
        [quoteIdentifier(table), column],
      );
    }
  }
  source.close();
}

function asParameter(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return value;
}
