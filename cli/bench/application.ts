import Database from "better-sqlite3";
import type pg from "pg";
import { connect } from "../../loaders/connection.ts";
import type { BenchDatabase } from "./bench-server.ts";
import { lastDay } from "./bench-source.ts";
import type { Arena } from "./contender.ts";
import { grownSource } from "./follow-ups.ts";
import { type InsertTime, timeInserts } from "./insert-times.ts";
import { median } from "./median.ts";
import { requireRows } from "./require-rows.ts";

/** SQLite against TimescaleDB, as the application sees them. */
export interface ApplicationResult {
  queries: QueryTimes[];
  inserts: InsertTime[];
  /** Rows that each insert test wrote. */
  insertedRows: number;
  /** MiB on disk for a million rows, with keys and indexes. */
  sizePerMillion: { sqlite: number; rowstore: number };
}

export interface QueryTimes {
  title: string;
  /** Rows of the answer. */
  rows: number;
  sqliteMs: number;
  timescaleMs: number;
}

interface Query {
  title: string;
  sqlite: string;
  timescale: string;
}

const year = lastDay.slice(0, 4);
const [from, until] = [`${year}-01-01`, `${Number(year) + 1}-01-01`];
const repeats = 5;

/** The application's questions, each in both dialects; symbols as `bench-source.ts` names them. */
export const queries: Query[] = [
  {
    title: "daily OHLC, one symbol, one year",
    sqlite: `SELECT date, open_price, high_price, low_price, close_price, volume FROM price_history
      WHERE symbol = 'AAAB' AND interval = '1d' AND date >= '${from}' AND date < '${until}' ORDER BY date`,
    timescale: `SELECT "time", open, high, low, close, volume FROM price_history
      WHERE symbol = 'AAAB' AND "interval" = '1d' AND "time" >= '${from}' AND "time" < '${until}' ORDER BY "time"`,
  },
  {
    title: "monthly OHLC, all symbols, one year",
    sqlite: `SELECT DISTINCT symbol, strftime('%Y-%m-01', date) AS month,
        first_value(open_price) OVER month, max(high_price) OVER month, min(low_price) OVER month,
        last_value(close_price) OVER month, sum(volume) OVER month
      FROM price_history WHERE date >= '${from}' AND date < '${until}'
      WINDOW month AS (PARTITION BY symbol, strftime('%Y-%m-01', date) ORDER BY date
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)`,
    timescale: `SELECT symbol, time_bucket('1 month', "time") AS month,
        first(open, "time"), max(high), min(low), last(close, "time"), sum(volume)
      FROM price_history WHERE "time" >= '${from}' AND "time" < '${until}' GROUP BY symbol, month`,
  },
  {
    title: "low, high, average of every symbol over one year",
    sqlite: `SELECT symbol, min(low_price), max(high_price), avg(close_price), sum(volume) FROM price_history
      WHERE date >= '${from}' AND date < '${until}' GROUP BY symbol`,
    timescale: `SELECT symbol, min(low), max(high), avg(close), sum(volume) FROM price_history
      WHERE "time" >= '${from}' AND "time" < '${until}' GROUP BY symbol`,
  },
];

/** Compares both engines on the rows of a database that was loaded, keys in place. */
export async function compareApplication(
  arena: Arena,
  database: BenchDatabase,
  insertedRows = 10_000,
): Promise<ApplicationResult> {
  const { source, server, signal } = arena;
  const client = await connect(database.app, "bench: application");
  try {
    await server.asSuperuser(database.name, (superuser) => superuser.query("ANALYZE price_history"));
    const sqlite = new Database(source.path, { readonly: true });
    const times: QueryTimes[] = [];
    try {
      for (const query of queries) times.push(await timeQuery(query, sqlite, client, signal));
    } finally {
      sqlite.close();
    }
    const rowstore = await hypertableBytes(client);
    const scale = 1e6 / source.rows / 2 ** 20;
    const inserts = await timeInserts(grownSource(arena).path, client, insertedRows, signal);
    return {
      queries: times,
      inserts,
      insertedRows,
      sizePerMillion: { sqlite: source.bytes * scale, rowstore: rowstore * scale },
    };
  } finally {
    await client.end();
  }
}

/** Bytes of the hypertable with its chunks, indexes and TOAST. */
export async function hypertableBytes(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query("SELECT hypertable_size('price_history') AS bytes");
  return Number(rows[0].bytes);
}

/** Both engines in turn, warm, the median of five each. */
async function timeQuery(
  { title, sqlite, timescale }: Query,
  source: Database.Database,
  client: pg.Client,
  signal: AbortSignal,
): Promise<QueryTimes> {
  const statement = source.prepare(sqlite);
  const times = { sqlite: [] as number[], timescale: [] as number[] };
  let rows = 0;
  for (let repeat = 0; repeat <= repeats; repeat++) {
    signal.throwIfAborted();
    const start = performance.now();
    rows = statement.all().length;
    const between = performance.now();
    const answer = await client.query(timescale);
    const end = performance.now();
    requireRows(`TimescaleDB's answer to "${title}"`, answer.rows.length, rows);
    if (repeat === 0) continue;
    times.sqlite.push(between - start);
    times.timescale.push(end - between);
  }
  return { title, rows, sqliteMs: median(times.sqlite), timescaleMs: median(times.timescale) };
}
