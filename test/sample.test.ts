import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import stockula from "../loaders/workloads/stockula.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-sample-"));
const path = join(folder, "deep", "sample.db");
let rows: Record<string, number>;
let sample: Database.Database;

beforeAll(async () => {
  rows = (await buildSample(path)).rows;
  sample = new Database(path, { readonly: true });
});

afterAll(() => {
  sample.close();
  rmSync(folder, { recursive: true });
});

test("two builds give the same bytes, and the second replaces the first", async () => {
  const first = readFileSync(path);
  const other = join(folder, "other.db");
  writeFileSync(other, "not a database");
  await buildSample(other);
  expect(readFileSync(other).equals(first)).toBe(true);
});

test("no partial file is left beside the sample", () => {
  expect(readdirSync(join(folder, "deep"))).toEqual(["sample.db"]);
});

test("the reported counts are those of the file, and every table has rows", () => {
  for (const [table, count] of Object.entries(rows)) {
    expect([table, sample.prepare(`SELECT count(*) FROM ${table}`).pluck().get()]).toEqual([table, count]);
    expect(count).toBeGreaterThan(0);
  }
  expect(rows.price_history).toBe(5105 + 560);
});

test("the file holds every table that the loader reads, and no broken key", () => {
  const tables = sample.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  expect(tables.sort()).toEqual(Object.keys(stockula.tables).sort());
  expect(sample.pragma("foreign_key_check")).toEqual([]);
  expect(sample.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
});

test("prices are the published ones, to the last digit", () => {
  const price = sample.prepare("SELECT * FROM price_history WHERE symbol = ? AND date = ?");
  expect(price.get("^GSPC", "2000-01-03")).toMatchObject({
    open_price: 1469.25,
    low_price: 1438.359985,
    volume: 931_800_000,
    interval: "1d",
  });
  expect(price.get("AAPL", "2010-03-01")).toMatchObject({
    open_price: null,
    close_price: 223.02,
    volume: null,
    interval: "1mo",
  });
});

test("a folder that is a file is an error with a remedy, and nothing is left behind", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const error = await buildSample(join(file, "sample.db")).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TimeliftError);
  expect((error as TimeliftError).code).toBe("sample-unwritable");
});
