import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "better-sqlite3";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { type Row, sampleRows } from "./stockula-rows.ts";
import { schema } from "./stockula-schema.ts";

/**
 * Writes a SQLite database of the stockula application with the rows of `sampleRows` to `path`: the same bytes
 * each time. The file appears complete or not at all; one that is there is replaced.
 * @returns the number of rows of each table
 * @throws TimeliftError `sample-unwritable` when the folder or file cannot be written
 */
export async function buildSample(path: string): Promise<{ rows: Record<string, number> }> {
  const target = resolve(path);
  const partial = `${target}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    rmSync(partial, { force: true });
    const rows = writeDatabase(partial);
    const file = openSync(partial, "r");
    fsyncSync(file);
    closeSync(file);
    renameSync(partial, target);
    return { rows };
  } catch (error) {
    if (existsSync(partial)) rmSync(partial);
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!/^(E[A-Z]+|SQLITE_(CANTOPEN|FULL|IOERR|READONLY).*)$/.test(code)) throw error;
    throw new TimeliftError({
      code: "sample-unwritable",
      subject: target,
      problem: `the sample database cannot be written (${code})`,
      remedy: "choose a path in a folder that you may write to, with 2 MB to spare",
      cause: error,
    });
  }
}

function writeDatabase(path: string): Record<string, number> {
  const database = new Database(path);
  try {
    // No journal: an interrupted build is thrown away whole.
    database.pragma("journal_mode = off");
    database.pragma("synchronous = off");
    const rows = sampleRows();
    database.transaction(() => {
      database.exec(schema);
      for (const [table, values] of Object.entries(rows)) insertRows(database, table, values);
    })();
    return Object.fromEntries(Object.entries(rows).map(([table, values]) => [table, values.length]));
  } finally {
    database.close();
  }
}

function insertRows(database: Database.Database, table: string, rows: Row[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const places = columns.map(() => "?").join(", ");
  const insert = database.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`);
  for (const row of rows) insert.run(columns.map((column) => row[column] ?? null));
}
