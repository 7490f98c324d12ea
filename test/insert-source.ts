import Database from "better-sqlite3";
import type pg from "pg";
import {
  type ColumnReading,
  drop,
  type LoaderDefinition,
  loadedEntries,
  type Reading,
  sourceNameOf,
} from "../loaders/define-loader.ts";
import { quoteIdentifier } from "../loaders/identifier.ts";

const microsPer = { s: 1e6, ms: 1e3, us: 1 };

/** Fills the target with plain INSERTs, value by value, by PostgreSQL's own reading of text: no part of the loader. */
export async function insertSource(
  path: string,
  loader: LoaderDefinition,
  client: pg.ClientBase,
): Promise<void> {
  const source = new Database(path, { readonly: true });
  source.defaultSafeIntegers();
  await client.query("SET TimeZone = 'UTC'");
  for (const [table, definition] of loadedEntries(loader)) {
    const where = definition.where ? ` WHERE ${definition.where}` : "";
    const from = quoteIdentifier(sourceNameOf(table, definition));
    const rows = source.prepare(`SELECT * FROM ${from}${where}`).all() as Record<string, unknown>[];
    const texts = await textColumns(client, table);
    const columns = Object.keys(rows[0] ?? {}).flatMap((column) => {
      const rule = definition.columns?.[column] ?? {};
      if (rule === drop) return [];
      const reading: ColumnReading = typeof rule === "string" ? { to: rule } : (rule as ColumnReading);
      const to = reading.to ?? column;
      return [{ column, to, read: reading.read, emptyIsNull: reading.empty === "null" && !texts.has(to) }];
    });
    const names = columns.map(({ to }) => quoteIdentifier(to));
    for (let start = 0; start < rows.length; start += 500) {
      const batch = rows.slice(start, start + 500);
      const values = batch.flatMap((row) =>
        columns.map(({ column, emptyIsNull }) =>
          emptyIsNull && row[column] === "" ? null : asParameter(row[column]),
        ),
      );
      const places = batch.map((row, at) => {
        const place = (index: number) => `$${at * columns.length + index + 1}`;
        return `(${columns.map(({ column, read }, index) => asMoment(row[column], read, place(index))).join(", ")})`;
      });
      await client.query(
        `INSERT INTO ${quoteIdentifier(table)} (${names.join(", ")}) VALUES ${places.join(", ")}`,
        values,
      );
    }
    for (const column of columns.some(({ to }) => to === "id") ? ["id"] : []) {
      await client.query(
        `SELECT setval(pg_get_serial_sequence($1, $2), max(${column}) + 1, false) FROM ${quoteIdentifier(table)}`,
        [quoteIdentifier(table), column],
      );
    }
  }
  source.close();
}

async function textColumns(client: pg.ClientBase, table: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND atttypid IN ('text'::regtype, 'varchar'::regtype)`,
    [quoteIdentifier(table)],
  );
  return new Set(rows.map(({ name }) => name));
}

/** A parameter as SQL: a number in a column that is read as a moment is added to 1970. */
function asMoment(value: unknown, read: Reading | undefined, place: string): string {
  const isNumber =
    typeof value === "bigint" ||
    typeof value === "number" ||
    (typeof value === "string" && /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value));
  if (read === undefined || !isNumber) return place;
  const micros =
    read.kind === "epoch"
      ? `round(${place}::numeric * ${microsPer[read.unit]})`
      : `round((${place}::numeric - 2440587.5) * 86400000) * 1000`;
  return `timestamptz 'epoch' + (${micros})::double precision * interval '1 microsecond'`;
}

function asParameter(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return value;
}
