import { utimesSync } from "node:fs";
import Database from "better-sqlite3";
import { quoteIdentifier } from "../../../loaders/identifier.ts";
import { openSource, type Source } from "../../../loaders/source/open-source.ts";
import type { SourceTable } from "../../../loaders/source/source-schema.ts";

/** A table of a sample, and which of its rows are in it. */
export interface SampledTable {
  table: SourceTable;
  /** SQL condition over the source row; null for all rows. */
  where: string | null;
}

/** Longer than a source has to be still before it is read in place. */
const stillSeconds = 60;

/**
 * Writes some rows of a source into a new SQLite file, with the source's tables, indexes and views, in the order of
 * the source.
 */
export function writeSample(sourcePath: string, path: string, tables: SampledTable[]): void {
  const source = openSource(sourcePath);
  const sample = new Database(path);
  try {
    sample.pragma("journal_mode = off");
    sample.pragma("synchronous = off");
    sample.pragma("foreign_keys = off");
    const named = new Set(tables.map(({ table }) => table.name));
    const statements = source
      .prepare("SELECT type, name, tbl_name AS tableName, sql FROM sqlite_schema WHERE sql IS NOT NULL")
      .all() as { type: string; name: string; tableName: string; sql: string }[];
    const of = (type: string) =>
      statements.filter((each) => each.type === type && !/^sqlite_/.test(each.name));
    for (const { sql, name } of of("table")) if (named.has(name)) sample.exec(sql);
    sample.exec("BEGIN");
    for (const each of tables) copyRows(source, sample, each);
    sample.exec("COMMIT");
    for (const { sql, tableName } of of("index")) if (named.has(tableName)) sample.exec(sql);
    for (const { sql } of of("view")) sample.exec(sql);
  } finally {
    sample.close();
    source.close();
  }
  settle(path);
}

/** Lets a file that nobody else knows of be read where it is. */
export function settle(path: string): void {
  const past = Date.now() / 1000 - stillSeconds;
  utimesSync(path, past, past);
}

function copyRows(source: Source, sample: Database.Database, { table, where }: SampledTable): void {
  const columns = table.columns.filter(({ generated }) => generated === "no");
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(", ");
  const into = quoteIdentifier(table.name);
  const insert = sample.prepare(
    `INSERT INTO ${into} (${names}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const order = table.rowid === null ? "" : ` ORDER BY ${table.rowid}`;
  const condition = where === null ? "" : ` WHERE ${where}`;
  const rows = source.prepare(`SELECT ${names} FROM ${into}${condition}${order}`).raw().iterate();
  for (const row of rows as Iterable<unknown[]>) insert.run(...row);
}
