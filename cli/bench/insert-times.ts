import { setImmediate as breathe } from "node:timers/promises";
import Database from "better-sqlite3";
import type pg from "pg";
import { PriceWalk } from "./price-walk.ts";

/** One way to insert the same number of rows. */
export interface InsertTime {
  title: string;
  sqliteRollbackMs: number;
  sqliteWalMs: number;
  timescaleMs: number;
}

/** symbol, day, open, high, low, close, volume. */
type NewRow = [string, string, number, number, number, number, number];

/** Inserts between two looks at whether to stop. */
const breath = 200;

/**
 * Inserts rows one transaction each, and all in one, into a SQLite file (which is changed) and the hypertable of `client`.
 * Both engines write to the disk at each commit: `synchronous = FULL`, `synchronous_commit = on`.
 */
export async function timeInserts(
  path: string,
  client: pg.Client,
  rows: number,
  signal: AbortSignal,
): Promise<InsertTime[]> {
  // Each test writes days of its own, long after the last of the source.
  let day = Date.parse("2040-01-01");
  const next = () => {
    const made = newRows(rows, day);
    day += 86_400_000 * 366 * 10;
    return made;
  };
  const sqlite = { rollback: { single: 0, batch: 0 }, wal: { single: 0, batch: 0 } };
  for (const [mode, times] of [["DELETE", sqlite.rollback] as const, ["WAL", sqlite.wal] as const]) {
    const database = new Database(path);
    try {
      database.pragma(`journal_mode = ${mode}`);
      database.pragma("synchronous = FULL");
      // As SQLite is by default, and timelift's keys in this bench.
      database.pragma("foreign_keys = OFF");
      times.single = await singlesIntoSqlite(database, next(), signal);
      times.batch = batchIntoSqlite(database, next());
    } finally {
      database.close();
    }
  }
  const single = await singlesIntoTimescale(client, next(), signal);
  const batch = await batchIntoTimescale(client, next());
  const count = rows.toLocaleString("en-US");
  const of = (title: string, step: "single" | "batch", timescaleMs: number): InsertTime => ({
    title,
    sqliteRollbackMs: sqlite.rollback[step],
    sqliteWalMs: sqlite.wal[step],
    timescaleMs,
  });
  return [
    of(`${count} rows, a transaction each`, "single", single),
    of(`${count} rows in one transaction`, "batch", batch),
  ];
}

/** A hundred symbols a day. */
function newRows(count: number, firstDay: number): NewRow[] {
  const walk = new PriceWalk(7, 0);
  return Array.from({ length: count }, (_, index) => {
    const { open, high, low, close, volume } = walk.next();
    const day = new Date(firstDay + Math.floor(index / 100) * 86_400_000).toISOString().slice(0, 10);
    return [`N${String(index % 100).padStart(2, "0")}`, day, open, high, low, close, volume];
  });
}

async function singlesIntoSqlite(
  database: Database.Database,
  rows: NewRow[],
  signal: AbortSignal,
): Promise<number> {
  const insert = prepare(database);
  let ms = 0;
  for (let at = 0; at < rows.length; at += breath) {
    const start = performance.now();
    for (const row of rows.slice(at, at + breath)) insert.run(row);
    ms += performance.now() - start;
    await breathe();
    signal.throwIfAborted();
  }
  return ms;
}

function batchIntoSqlite(database: Database.Database, rows: NewRow[]): number {
  const insert = prepare(database);
  const start = performance.now();
  database.transaction(() => {
    for (const row of rows) insert.run(row);
  })();
  return performance.now() - start;
}

function prepare(database: Database.Database): Database.Statement {
  return database.prepare(`INSERT INTO price_history
    (symbol, date, open_price, high_price, low_price, close_price, volume, interval) VALUES (?, ?, ?, ?, ?, ?, ?, '1d')`);
}

const columns = 'symbol, "time", open, high, low, close, volume, "interval", created_at, updated_at';

async function singlesIntoTimescale(client: pg.Client, rows: NewRow[], signal: AbortSignal): Promise<number> {
  const start = performance.now();
  for (const values of rows) {
    await client.query({
      name: "bench insert",
      text: `INSERT INTO price_history (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, '1d', now(), now())`,
      values,
    });
    signal.throwIfAborted();
  }
  return performance.now() - start;
}

async function batchIntoTimescale(client: pg.Client, rows: NewRow[]): Promise<number> {
  const start = performance.now();
  const column = (at: number) => rows.map((row) => row[at]);
  await client.query({
    text: `INSERT INTO price_history (${columns})
      SELECT *, '1d', now(), now() FROM unnest($1::text[], $2::timestamptz[], $3::float8[], $4::float8[],
        $5::float8[], $6::float8[], $7::bigint[])`,
    values: [0, 1, 2, 3, 4, 5, 6].map(column),
  });
  return performance.now() - start;
}
