import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuildSample, findSample, sampleNames } from "../cli/sample/samples.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import stockula from "../loaders/workloads/stockula.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-sample-"));
const pathOf = (workload: string) => join(folder, "deep", `${workload}.db`);
const open = (workload: string) => new Database(pathOf(workload), { readonly: true });

beforeAll(async () => {
  for (const workload of sampleNames) await (await findSample(workload))(pathOf(workload));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(sampleNames)("the sample of %s", (workload) => {
  const path = pathOf(workload);
  let buildSample: BuildSample;
  let sample: Database.Database;

  beforeAll(async () => {
    buildSample = await findSample(workload);
    sample = open(workload);
    return () => sample.close();
  });

  test("two builds give the same bytes, and the second replaces what was there", async () => {
    const other = join(folder, "other.db");
    writeFileSync(other, "not a database");
    await buildSample(other);
    expect(readFileSync(other).equals(readFileSync(path))).toBe(true);
  });

  test("the reported counts are those of the file, of every table, and each has rows", async () => {
    const { rows } = await buildSample(join(folder, "counted.db"));
    const tables = sample.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    expect(tables.sort()).toEqual(Object.keys(rows).sort());
    for (const [table, count] of Object.entries(rows)) {
      expect([table, sample.prepare(`SELECT count(*) FROM ${table}`).pluck().get()]).toEqual([table, count]);
      expect(count).toBeGreaterThan(0);
    }
  });

  test("no key is broken, nor the file", () => {
    expect(sample.pragma("foreign_key_check")).toEqual([]);
    expect(sample.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
  });

  test("a folder that is a file is an error with a remedy, and nothing is left behind", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const error = await buildSample(join(file, "sample.db")).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TimeliftError);
    expect((error as TimeliftError).code).toBe("sample-unwritable");
    expect(readdirSync(join(folder, "deep")).sort()).toEqual(sampleNames.map((name) => `${name}.db`).sort());
  });
});

test("a workload without a sample is an error that names those that have one", async () => {
  const error = await findSample("constructor").catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "sample-missing" });
  for (const name of sampleNames) expect(String(error)).toContain(name);
});

describe("stockula", () => {
  let sample: Database.Database;
  beforeAll(() => {
    sample = open("stockula");
    return () => sample.close();
  });

  test("the file holds every table that the loader reads", () => {
    const tables = sample.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
    expect(tables.sort()).toEqual(Object.keys(stockula.tables).sort());
    expect(sample.prepare("SELECT count(*) FROM price_history").pluck().get()).toBe(5105 + 560);
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
});

describe("forward-factor", () => {
  let sample: Database.Database;
  const all = <Row>(sql: string) => sample.prepare(sql).all() as Row[];
  const one = (sql: string) => sample.prepare(sql).pluck().get();
  beforeAll(() => {
    sample = open("forward-factor");
    return () => sample.close();
  });

  test("there are as many rows as it says, over as many days", () => {
    expect(one("SELECT count(*) FROM users WHERE telegram_chat_id IS NULL")).toBe(4);
    expect(
      one("SELECT count(*) FROM users WHERE telegram_chat_id IS NOT NULL AND telegram_username IS NULL"),
    ).toBe(2);
    expect(one("SELECT count(*) FROM signals")).toBe(6000);
    expect(one("SELECT count(DISTINCT date(as_of_ts)) FROM signals")).toBe(15);
    expect(one("SELECT count(DISTINCT ticker) FROM signals")).toBe(8);
    expect(one("SELECT count(*) FROM option_chain_snapshots")).toBe(2000);
    expect(one("SELECT count(*) FROM signal_user_decisions")).toBe(800);
    expect(
      one(
        "SELECT count(*) FROM (SELECT 1 FROM signal_user_decisions GROUP BY signal_id HAVING count(*) > 1)",
      ),
    ).toBe(200);
  });

  test("the forward volatility of each signal follows from its two implied ones", () => {
    type Signal = Record<
      "front_dte" | "back_dte" | "front_iv" | "back_iv" | "sigma_fwd" | "ff_value",
      number
    >;
    const signals = all<Signal>("SELECT * FROM signals");
    for (const { front_dte, back_dte, front_iv, back_iv, sigma_fwd, ff_value } of signals) {
      const variance = (back_dte * back_iv ** 2 - front_dte * front_iv ** 2) / (back_dte - front_dte);
      expect(sigma_fwd ** 2).toBeCloseTo(variance, 12);
      expect(ff_value).toBeCloseTo(front_iv / sigma_fwd - 1, 12);
      expect(Math.min(front_iv, back_iv, sigma_fwd)).toBeGreaterThan(0.05);
    }
    expect(one("SELECT count(*) FROM signals WHERE ff_value = 0")).toBeGreaterThan(0);
    expect(one("SELECT min(ff_value) FROM signals")).toBeLessThan(0);
  });

  test("a signal's key is the hash of what makes it the same signal again", () => {
    type Signal = Record<
      "ticker" | "front_expiry" | "back_expiry" | "vol_point" | "as_of_ts" | "dedupe_key",
      string
    >;
    const signals = all<Signal>("SELECT * FROM signals");
    for (const { ticker, front_expiry, back_expiry, vol_point, as_of_ts, dedupe_key } of signals) {
      const key = [ticker, front_expiry, back_expiry, vol_point, as_of_ts.slice(0, 16)].join("|");
      expect(dedupe_key).toBe(createHash("sha256").update(key).digest("hex"));
    }
  });

  test("times are written as SQLAlchemy writes them, one of them on a day's first microsecond", () => {
    const written = "____-__-__ __:__:__.______";
    for (const [table, column] of [
      ["signals", "as_of_ts"],
      ["users", "created_at"],
      ["signal_user_decisions", "decision_ts"],
    ]) {
      expect(one(`SELECT count(*) FROM ${table} WHERE ${column} NOT LIKE '${written}'`)).toBe(0);
    }
    expect(one("SELECT count(*) FROM signals WHERE as_of_ts LIKE '% 00:00:00.000000'")).toBe(15);
    expect(one("SELECT count(*) FROM signals WHERE as_of_ts LIKE '%.000000'")).toBe(15);
  });

  test("nobody decides on a signal before it is there, nor twice", () => {
    const joined = "signal_user_decisions d JOIN signals s ON s.id = d.signal_id";
    expect(one(`SELECT count(*) FROM ${joined} WHERE decision_ts > as_of_ts`)).toBe(800);
    expect(one("SELECT count(*) FROM (SELECT DISTINCT signal_id, user_id FROM signal_user_decisions)")).toBe(
      800,
    );
  });

  test("JSON is as Python writes it: ASCII, spaced, valid; a null in it is not the absence of it", () => {
    const columns = {
      signals: "reason_codes",
      option_chain_snapshots: "raw_payload",
      user_settings: "dte_pairs",
      signal_user_decisions: "decision_metadata",
    };
    for (const [table, column] of Object.entries(columns)) {
      const texts = all<{ text: string }>(
        `SELECT ${column} AS text FROM ${table} WHERE ${column} IS NOT NULL`,
      );
      for (const { text } of texts) {
        expect(text).toMatch(/^[ -~]+$/);
        expect(JSON.parse(text)).toBeDefined();
      }
      expect(one(`SELECT count(*) FROM ${table} WHERE ${column} IS NULL`)).toBeGreaterThan(0);
    }
    expect(one("SELECT count(*) FROM signals WHERE reason_codes = 'null'")).toBeGreaterThan(0);
    const note = one(
      "SELECT raw_payload FROM option_chain_snapshots WHERE raw_payload LIKE '%\\ud83d%' LIMIT 1",
    );
    expect((JSON.parse(note as string) as { note: string }).note).toContain('"indicative" \\ café 📈\n\t');
  });

  test("who subscribed to what agrees with what is scanned", () => {
    expect(
      one(`SELECT count(*) FROM master_tickers m WHERE active_subscriber_count <>
        (SELECT count(*) FROM subscriptions s WHERE s.ticker = m.ticker AND s.active)`),
    ).toBe(0);
    expect(
      one(`SELECT count(*) FROM master_tickers m WHERE last_scan_at IS NOT
        (SELECT max(as_of_ts) FROM signals s WHERE s.ticker = m.ticker)`),
    ).toBe(0);
    expect(all("SELECT ticker FROM master_tickers WHERE last_scan_at IS NULL")).toEqual([
      { ticker: "BRK.B" },
    ]);
  });
});
