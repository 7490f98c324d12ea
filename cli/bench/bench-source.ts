import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { cacheFolder } from "../../stacks/platforms/native/sysroot.ts";
import { schema } from "../sample/stockula-schema.ts";
import { PriceWalk } from "./price-walk.ts";
import { dayAfter, weekdaysUpTo } from "./trading-day.ts";

/** A generated SQLite file of the stockula application. */
export interface BenchSource {
  path: string;
  /** Rows of price_history. */
  rows: number;
  bytes: number;
}

/** Goes up with every change of the rows that are generated, so that no older file is taken for a new one. */
const generatorVersion = 1;
/** The last day of every source; bars reach back from it. */
export const lastDay = "2024-12-31";
/** A symbol's bars are as many as fit into 20 years; more rows are more symbols. */
const longestHistory = 5000;
const fewestSymbols = 500;
/** Rows that the application wrote in one second, as far as created_at tells. */
const rowsPerSecond = 2000;

/** How many symbols and days make `rows`: 2,500,000 rows are 500 symbols of 5,000 days. */
export function shapeOf(rows: number): { symbols: number; days: number } {
  const days = Math.min(longestHistory, Math.max(1, Math.ceil(rows / fewestSymbols)));
  return { symbols: Math.ceil(rows / days), days };
}

/** Where the source of that size is kept, whether it is there yet or not. */
export function benchSourcePath(rows: number, seed: number): string {
  return join(cacheFolder(), "bench", `source-v${generatorVersion}-${rows}-${seed}.db`);
}

/**
 * A source with `rows` daily bars, symbol by symbol as the application downloads them: the same bytes for the same rows
 * and seed, kept in the cache folder.
 */
export function benchSource(rows: number, seed: number, path = benchSourcePath(rows, seed)): BenchSource {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    const partial = `${path}.${process.pid}.partial`;
    try {
      write(partial, rows, seed);
      renameSync(partial, path);
    } finally {
      rmSync(partial, { force: true });
    }
  }
  return { path, rows, bytes: statSync(path).size };
}

/** Removes what a killed run left of a file that it was writing. */
export function removePartialSources(): void {
  const folder = join(cacheFolder(), "bench");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = /\.(\d+)\.partial$/.exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(folder, name), { force: true });
  }
}

function write(path: string, rows: number, seed: number): void {
  const { symbols, days } = shapeOf(rows);
  const calendar = weekdaysUpTo(lastDay, days);
  withWriter(path, (database) => {
    database.exec(schema);
    const addStock = database.prepare(
      "INSERT INTO stocks (symbol, name, exchange, currency, created_at, updated_at) VALUES (?, ?, 'NMS', 'USD', ?, ?)",
    );
    const add = barWriter(database);
    let id = 0;
    for (let index = 0; index < symbols; index++) {
      const symbol = symbolName(index);
      addStock.run(symbol, `Company ${symbol}`, writtenAt(id), writtenAt(id));
      const walk = new PriceWalk(seed, index);
      for (const day of calendar) {
        if (id === rows) return;
        add(++id, symbol, day, walk);
      }
    }
  });
}

/**
 * Adds `rows` bars to a copy of a source, day by day after the last one, as the application does every evening.
 * @returns the rows that the file has now
 */
export function growSource(path: string, rows: number, seed: number): number {
  let total = 0;
  withWriter(path, (database) => {
    const known = database.prepare<[], { symbol: string; close: number }>(
      `SELECT symbol, close_price AS close FROM price_history
       WHERE id IN (SELECT max(id) FROM price_history GROUP BY symbol) ORDER BY symbol`,
    );
    const walks = known
      .all()
      .map(({ symbol, close }, index) => ({ symbol, walk: new PriceWalk(seed + 1, index, close) }));
    const [last] = database.prepare("SELECT max(id), max(date) FROM price_history").raw().all() as [
      [number, string],
    ];
    const add = barWriter(database);
    let [id, day] = last;
    total = id + rows;
    while (id < total) {
      day = dayAfter(day);
      for (const { symbol, walk } of walks) if (id < total) add(++id, symbol, day, walk);
    }
  });
  return total;
}

/** Writes in one transaction that is not meant to survive a power cut; the file ends under the rollback journal. */
function withWriter(path: string, work: (database: Database.Database) => void): void {
  const database = new Database(path);
  try {
    database.pragma("synchronous = off");
    database.pragma("cache_size = -200000");
    database.transaction(work)(database);
  } finally {
    database.close();
  }
}

function barWriter(database: Database.Database) {
  const insert = database.prepare(`INSERT INTO price_history
    (id, symbol, date, open_price, high_price, low_price, close_price, volume, interval, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, '1d', ?, ?)`);
  return (id: number, symbol: string, day: string, walk: PriceWalk) => {
    const { open, high, low, close, volume } = walk.next();
    const at = writtenAt(id);
    insert.run(id, symbol, day, open, high, low, close, volume, at, at);
  };
}

/** Four letters, in the order of their numbers. */
function symbolName(index: number): string {
  let letters = "";
  for (let rest = index, at = 0; at < 4; at++, rest = Math.floor(rest / 26)) {
    letters = String.fromCharCode(65 + (rest % 26)) + letters;
  }
  return letters;
}

let stamp = { second: -1, text: "" };

/** created_at of a row, as SQLite's CURRENT_TIMESTAMP writes it. */
function writtenAt(id: number): string {
  const second = Math.floor(id / rowsPerSecond);
  if (second !== stamp.second) {
    const time = new Date(Date.UTC(2025, 0, 2, 6) + second * 1000);
    stamp = { second, text: time.toISOString().slice(0, 19).replace("T", " ") };
  }
  return stamp.text;
}
