import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "better-sqlite3";
import { TimeliftError } from "../../loaders/timelift-error.ts";

/** One row: source column -> value. */
export type Row = Record<string, string | number | null>;

/** What a sample database is made of. */
export interface SampleContent {
  /** SQL that makes the tables and indexes. */
  schema: string;
  /** Every row, table by table, parents first; the rows of a table name the same columns in the same order. */
  rows: Record<string, Row[]>;
}

/** What was written: the number of rows of each table. */
export interface WrittenSample {
  rows: Record<string, number>;
}

/**
 * Writes a SQLite database with `content` to `path`: the same bytes each time. The file appears complete or not at
 * all; one that is there is replaced.
 * @throws TimeliftError `sample-unwritable` when the folder or file cannot be written
 */
export async function writeSample(path: string, content: SampleContent): Promise<WrittenSample> {
  const target = resolve(path);
  const partial = `${target}.${process.pid}.partial`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    rmSync(partial, { force: true });
    writeDatabase(partial, content);
    const file = openSync(partial, "r");
    fsyncSync(file);
    closeSync(file);
    renameSync(partial, target);
  } catch (error) {
    if (existsSync(partial)) rmSync(partial);
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!/^(E[A-Z]+|SQLITE_(CANTOPEN|FULL|IOERR|READONLY).*)$/.test(code)) throw error;
    throw new TimeliftError({
      code: "sample-unwritable",
      subject: target,
      problem: `the sample database cannot be written (${code})`,
      remedy: "choose a path in a folder that you may write to, with 10 MB to spare",
      cause: error,
    });
  }
  const counts = Object.entries(content.rows).map(([table, rows]) => [table, rows.length]);
  return { rows: Object.fromEntries(counts) };
}

function writeDatabase(path: string, { schema, rows }: SampleContent): void {
  const database = new Database(path);
  try {
    // No journal: an interrupted build is thrown away whole.
    database.pragma("journal_mode = off");
    database.pragma("synchronous = off");
    database.transaction(() => {
      database.exec(schema);
      for (const [table, values] of Object.entries(rows)) insertRows(database, table, values);
    })();
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
