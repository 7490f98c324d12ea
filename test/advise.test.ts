import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { execa } from "execa";
import { afterAll, describe, expect, test } from "vitest";
import { adviseWorkload } from "../cli/advise/advise-workload.ts";
import { applyMeasurement } from "../cli/advise/measure/apply-measurement.ts";
import { measureWorkload } from "../cli/advise/measure/measure-workload.ts";
import { verdictOf } from "../cli/advise/measure/verdict.ts";
import { renderAdvice } from "../cli/advise/render-advice.ts";
import { momentSql } from "../loaders/survey/moment-sql.ts";
import { queryConditions } from "../loaders/survey/query-conditions.ts";
import { declaredTables } from "../migrations/declared-tables.ts";
import { parseConfig } from "../stacks/config.ts";
import { findWorkload } from "../stacks/workload.ts";
import { AdviseFixture, daily } from "./advise-fixture.ts";

const fixture = new AdviseFixture();
afterAll(() => fixture.remove());

const timelift = join(import.meta.dirname, "..", "timelift");

describe("figures", () => {
  test("rows of each period, of each segment in it, width and range are counted", async () => {
    const path = fixture.source(daily(10, 90));
    const { bars } = await fixture.advise(path);
    expect(bars.figures).toMatchObject({
      ...{ rows: 900, read: 900, timeless: 0 },
      ...{ from: "2020-01-01T00:00:00.000Z", until: "2020-03-30T00:00:00.000Z" },
      // Header and line pointer 28, time 8, symbol 3, aligned 8 for the price: 28 + 24.
      rowBytes: 52,
      lateness: { share: 0, shareInSegment: 0, p999: 0, most: 0 },
      segments: [{ columns: ["symbol"], values: 10 }],
    });
    const periods = Object.fromEntries(bars.figures?.periods.map((each) => [each.period, each]) ?? []);
    expect(periods["1 day"]).toMatchObject({ periods: 90, median: 10, p90: 10, most: 10, perSegment: [1] });
    // Weeks begin on Thursdays, as 1970 did: 2020-01-01 is a Wednesday, a period of its own.
    expect(periods["7 days"]).toMatchObject({ periods: 14, median: 70, most: 70 });
    expect(periods["7 days"]?.perSegment[0]).toBeCloseTo(900 / (14 * 10), 9);
  });

  test("a skewed table shows it: the fullest period, and how unlike the segments are", async () => {
    const path = fixture.source(`${daily(4, 100)};
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
      INSERT INTO bars (symbol, date, close) SELECT 'busy', datetime('2020-04-09', i || ' seconds'), i FROM n`);
    const { bars } = await fixture.advise(path);
    const [day] = bars.figures?.periods ?? [];
    expect(day).toMatchObject({ periods: 100, median: 4, p90: 4, most: 10_004 });
    expect(bars.figures?.segments[0]?.values).toBe(5);
    expect(day?.perSegment[0]).toBeCloseTo(10_400 / 401, 9);
  });

  test("of a large table an evenly spread sample gives the same figures, near enough", async () => {
    const path = fixture.source(daily(100, 1000));
    const [all, some] = [await fixture.advise(path), await fixture.advise(path, {}, { most: 20_000 })];
    const { rows, read = 0 } = some.bars.figures ?? {};
    expect([rows, read > 19_000 && read <= 20_000]).toEqual([100_000, true]);
    const ratio = (sampled = 0, counted = 0) => Math.abs(sampled / counted - 1);
    for (const [at, period] of all.bars.figures?.periods.entries() ?? []) {
      const sampled = some.bars.figures?.periods[at];
      if (period.median > 1000) expect(ratio(sampled?.median, period.median)).toBeLessThan(0.1);
      expect(ratio(sampled?.perSegment[0] ?? 0, period.perSegment[0] ?? 0)).toBeLessThan(0.5);
    }
    const [year, counted] = [some, all].map(({ bars }) => bars.figures?.periods.at(-1)?.perSegment[0] ?? 0);
    expect(ratio(year, counted)).toBeLessThan(0.1);
    expect(some.bars.chunk.advised).toBe(all.bars.chunk.advised);
  });

  test("one moment is the same in every form that the loader reads", () => {
    const database = new Database(":memory:");
    const seconds = (sql: string, reading: Parameters<typeof momentSql>[1]) =>
      database
        .prepare(`SELECT ${momentSql('"v"', reading)} FROM (SELECT ${sql} AS v)`)
        .pluck()
        .get();
    const moment = 1_700_000_000;
    for (const text of ["'2023-11-14 22:13:20'", "'2023-11-14T22:13:20Z'", "'2023-11-15 00:13:20+02:00'"]) {
      expect(seconds(text, null)).toBe(moment);
      expect(seconds(text, { kind: "epoch", unit: "ms" })).toBe(moment);
    }
    expect(seconds("1700000000", { kind: "epoch", unit: "s" })).toBe(moment);
    expect(seconds("1700000000000", { kind: "epoch", unit: "ms" })).toBe(moment);
    expect(seconds("'1700000000000'", { kind: "epoch", unit: "ms" })).toBe(moment);
    expect(seconds("1700000000000000", { kind: "epoch", unit: "us" })).toBe(moment);
    expect(seconds("julianday('2023-11-14 22:13:20')", { kind: "julianDay" })).toBeCloseTo(moment, 3);
    expect(seconds("'2023-11-14'", { kind: "epoch", unit: "ms" })).toBe(moment - 80_000);
    for (const none of ["NULL", "'soon'", "x'01'"]) {
      expect(seconds(none, { kind: "epoch", unit: "s" })).toBeNull();
      expect(seconds(none, null)).toBeNull();
    }
    expect(seconds("1700000000", null)).toBeNull();
    database.close();
  });

  test("epoch milliseconds become moments; a row whose time cannot be read is counted", async () => {
    const path = fixture.source(
      `INSERT INTO bars (symbol, date, close) VALUES ('a', 1577836800000, 1), ('a', 1577923200000, 2), ('b', NULL, 3)`,
      "CREATE TABLE bars (id INTEGER PRIMARY KEY, symbol TEXT, date INTEGER, close REAL)",
    );
    const table = `bars: { columns: { id: drop, date: { to: "time", read: epoch("ms") } } }`;
    const { bars } = await fixture.advise(path, { table });
    expect(bars.figures).toMatchObject({
      ...{ rows: 3, timeless: 1, from: "2020-01-01T00:00:00.000Z", until: "2020-01-02T00:00:00.000Z" },
    });
  });

  test("a table without rowid tells nothing of lateness, and a key of its own for each row makes no segments", async () => {
    const path = fixture.source(
      daily(1, 1)
        .replace("i < 0", "i < 149999")
        .replaceAll("'s' || (i % 1)", "'k' || i")
        .replace("(i / 1)", "(i / 400)"),
      "CREATE TABLE bars (id INTEGER, symbol TEXT PRIMARY KEY, date TEXT, close REAL) WITHOUT ROWID",
    );
    const { bars } = await fixture.advise(path, { chunk: "years(1)" });
    expect(bars.figures).toMatchObject({ rows: 150_000, lateness: null, segments: [{ values: null }] });
    expect(bars.columnstore?.segmentBy).toMatchObject({
      ...{ advised: [], reasons: ["symbol: nearly every row has a value of its own"] },
    });
    expect(bars.columnstore?.after.reasons[0]).toContain("no rowid");
  });

  test("only the rows that the loader takes count", async () => {
    const path = fixture.source(daily(10, 90));
    const table = `bars: { where: "symbol <> 's3'", columns: { id: drop, date: "time" } }`;
    const { bars } = await fixture.advise(path, { table });
    expect(bars.figures).toMatchObject({ rows: 810, segments: [{ values: 9 }] });
  });
});

describe("chunks", () => {
  test("few rows in few chunks fit any choice, and nothing is advised", async () => {
    const { bars, advice } = await fixture.advise(fixture.source(daily(50, 200)), { chunk: "days(30)" });
    expect(bars).toMatchObject({
      nothingToGain: "10,000 rows fit any choice",
      ...{ chunk: { advised: "30 days" }, columnstore: null, config: [] },
    });
    expect(renderAdvice(advice).join("\n")).toContain(
      "nothing to gain: 10,000 rows fit any choice; 30 days stays",
    );
  });

  test("rows that come fast are not few, though there are few yet; their chunks are no longer than is known", async () => {
    // 500 rows a day are 182,500 a year.
    const { bars } = await fixture.advise(fixture.source(daily(500, 20)), { chunk: "days(1)" });
    expect(bars).toMatchObject({
      ...{ nothingToGain: null, columnstore: null },
      chunk: { advised: "1 month", declared: "1 day" },
    });
    expect(bars.chunk.reasons.at(-1)).toContain("chunks of 1 month hold 15,755 rows");
  });

  test("few rows in many chunks are advised to lie in fewer, and nothing else is", async () => {
    const { bars } = await fixture.advise(fixture.source(daily(1, 5000)), { chunk: "months(1)" });
    expect(bars.chunk).toMatchObject({ advised: "1 year", declared: "1 month" });
    expect(bars.chunk.reasons.join("\n")).toMatch(/hold 30 rows.*\n.*1 month makes 168 chunks/);
    expect(bars.columnstore).toBeNull();
    expect(bars.config).toEqual(["pulumi config set --path 'timelift:hypertables.bars.chunk' '1 year'"]);
  });

  test("a month of few rows and small segments is too short, a year is right", async () => {
    const path = fixture.source(daily(400, 800));
    const { bars } = await fixture.advise(path, { chunk: "months(1)" });
    expect(bars.chunk).toMatchObject({ advised: "1 year", declared: "1 month" });
    expect(bars.chunk.reasons[0]).toBe("chunks of 1 month hold 12,000 rows, and they pay from 100,000");
    expect(bars.chunk.reasons[1]).toBe("that is 29 of one symbol, and segments pay from 150");
    const declared = await fixture.advise(path, { chunk: "years(1)" });
    expect(declared.bars.chunk).toMatchObject({ advised: "1 year", declared: "1 year" });
    expect(declared.bars.config.join()).not.toContain("chunk");
  });

  test("chunks that fill memory are too long", async () => {
    const path = fixture.source(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 799999)
       INSERT INTO bars (symbol, date, close) SELECT 's' || (i % 10), 1577836800 + i * 86400 / 100000, i FROM n`,
      "CREATE TABLE bars (id INTEGER PRIMARY KEY, symbol TEXT, date INTEGER, close REAL)",
    );
    const words = {
      chunk: "days(7)",
      table: `bars: { columns: { id: drop, date: { to: "time", read: epoch("s") } } }`,
    };
    // 700,000 rows of 84 bytes in a week are 56 MiB.
    const roomy = await fixture.advise(path, words, { memoryMb: 1024 });
    expect(roomy.bars.chunk.advised).toBe("7 days");
    const tight = await fixture.advise(path, words, { memoryMb: 128 });
    expect(tight.bars.chunk).toMatchObject({ advised: "1 day", declared: "7 days" });
    expect(tight.bars.chunk.reasons[0]).toMatch(
      /^the fullest 7 days takes \d+ MiB with indexes, more than a quarter of 128 MiB$/,
    );
  });

  test("a chunk stays well below the retention, and below the age for the columnstore", async () => {
    const path = fixture.source(daily(3000, 120));
    const plain = await fixture.advise(path, { chunk: "days(1)" }, { edition: "apache" });
    expect(plain.bars.chunk.advised).toBe("3 months");
    const columnstore = {
      before: `db.columnstore("bars", { segmentBy: ["symbol"], orderBy: ["time desc"] });`,
      after: `db.keys("bars", { primary: ["symbol", "time"] }); db.columnstorePolicy("bars", { after: days(7) });`,
    };
    const young = await fixture.advise(path, { chunk: "days(1)", ...columnstore });
    expect(young.bars.chunk.advised).toBe("7 days");
    const retention = `db.keys("bars", { primary: ["symbol", "time"] }); db.retention("bars", { after: days(60) });`;
    const kept = await fixture.advise(path, { chunk: "days(1)", after: retention }, { edition: "apache" });
    expect(kept.bars.chunk.advised).toBe("7 days");
  });

  test("a table without rows, and one that no source fills, are left as declared, with the reason", async () => {
    const empty = await fixture.advise(fixture.source(""), { chunk: "days(7)" });
    expect(empty.bars).toMatchObject({
      nothingToGain: "the source has no row for it, so there is nothing to measure",
      ...{ chunk: { advised: "7 days" }, figures: null, config: [] },
    });
    const unfilled = await fixture.advise(fixture.source(""), { table: "" });
    expect(unfilled.bars.nothingToGain).toBe(
      "no table of the source fills it, so there is nothing to measure",
    );
    expect(renderAdvice(empty.advice).join("\n")).toContain("bars: the source has no row for it");
  });
});

describe("columnstore", () => {
  const columnstore = `db.columnstore("bars", { segmentBy: ["symbol"], orderBy: ["time desc"] });`;

  test("values of many rows make segments, ordered by time", async () => {
    const { bars } = await fixture.advise(fixture.source(daily(400, 800)), { chunk: "years(1)" });
    expect(bars.columnstore).toMatchObject({
      segmentBy: { advised: ["symbol"], declared: null },
      orderBy: { advised: ["time desc"], declared: null },
      after: { advised: "7 days", declared: null },
    });
    expect(bars.columnstore?.segmentBy.reasons[0]).toContain(
      "400 values of symbol, 267 rows of each in 1 year",
    );
    // The config sets what migrations declare; what they do not is theirs to declare.
    expect([bars.config, bars.migration]).toEqual([
      [],
      [
        'db.columnstore("bars", { segmentBy: ["symbol"], orderBy: ["time desc"] });',
        'db.columnstorePolicy("bars", { after: days(7) });',
      ],
    ]);
    const apache = await fixture.advise(
      fixture.source(daily(400, 800)),
      { chunk: "years(1)" },
      { edition: "apache" },
    );
    expect([apache.bars.config, apache.bars.columnstore?.segmentBy.advised]).toEqual([[], ["symbol"]]);
  });

  test("values of few rows each make none: they order the rows instead", async () => {
    const words = { chunk: "years(1)", before: columnstore, symbol: "text" };
    const { bars } = await fixture.advise(fixture.source(daily(5000, 40)), words);
    expect(bars.columnstore).toMatchObject({
      segmentBy: { advised: [], declared: ["symbol"] },
      orderBy: { advised: ["symbol", "time"], declared: ["time desc"] },
    });
    expect(bars.columnstore?.segmentBy.reasons).toEqual([
      "symbol: 5,000 values, 40 rows of each in 1 year, and a segment pays from 150",
    ]);
    expect(bars.config).toContain("pulumi config set --path 'timelift:hypertables.bars.segmentBy' '[]'");
  });

  test("the stack's config takes what its commands set", async () => {
    const words = {
      ...{ chunk: "days(1)", symbol: "text", before: columnstore },
      after: `db.keys("bars", { primary: ["symbol", "time"] }); db.columnstorePolicy("bars", { after: years(1) });`,
    };
    const { bars } = await fixture.advise(fixture.source(daily(5000, 40)), words);
    // As Pulumi builds an object of paths: names, and places in a list.
    const settings: Record<string, string | string[]> = {};
    for (const command of bars.config) {
      const found = /^pulumi config set --path 'timelift:hypertables\.bars\.(\w+)(\[\d+\])?' '(.*)'$/.exec(
        command,
      );
      const [, key = "", place, value = ""] = found ?? [];
      settings[key] = place === undefined ? value : [...(settings[key] ?? []), value];
    }
    const raw = { "timelift:source": "app.db", "timelift:hypertables": JSON.stringify({ bars: settings }) };
    expect(parseConfig(raw, "dev").hypertables).toEqual({
      bars: { chunk: "1 month", segmentBy: [], orderBy: ["symbol", "time"] },
    });
  });

  test("a varchar orders nothing: TimescaleDB fails to sort by it", async () => {
    const words = { chunk: "years(1)", before: columnstore };
    const { bars } = await fixture.advise(fixture.source(daily(5000, 40)), words);
    expect(bars.columnstore?.orderBy).toMatchObject({ advised: ["time desc"], declared: ["time desc"] });
    expect(bars.columnstore?.orderBy.reasons[0]).toContain("as text it could");
  });

  test("a column of one value makes none", async () => {
    const { bars } = await fixture.advise(
      fixture.source(
        daily(1, 1)
          .replace("i < 0", "i < 199999")
          .replace("'s' || (i % 1)", "'s'")
          .replace("(i / 1)", "(i / 400)"),
      ),
    );
    expect(bars.columnstore?.segmentBy).toMatchObject({
      advised: [],
      reasons: ["symbol: one value, so nothing to tell apart"],
    });
    expect(bars.columnstore?.orderBy.advised).toEqual(["time desc"]);
  });

  test("rows that arrive late keep chunks out of it until they are in", async () => {
    const sql = `${daily(200, 600)};
      INSERT INTO bars (symbol, date, close) SELECT symbol, date(date, '-10 days') || ' 12:00', 0 FROM bars
        WHERE id > 200 * 100 AND id % 50 = 0 ORDER BY id DESC;`;
    const words = {
      ...{ chunk: "days(30)", before: columnstore },
      after: `db.keys("bars", { primary: ["symbol", "time"] }); db.columnstorePolicy("bars", { after: days(7) });`,
    };
    // The late rows follow all the others, newest first: 10 to 510 days late.
    const late = await fixture.advise(fixture.source(sql), words);
    expect(late.bars.figures?.lateness?.shareInSegment).toBeCloseTo(2000 / 122_000, 9);
    expect(late.bars.figures?.lateness?.most).toBeCloseTo((499 + 10 - 0.5) * 86_400, -5.5);
    expect(late.bars.columnstore?.after).toMatchObject({ advised: "1 year", declared: "7 days" });
    const inTime = await fixture.advise(fixture.source(daily(200, 600)), words);
    expect(inTime.bars.columnstore?.after).toMatchObject({ advised: "7 days", declared: "7 days" });
  });

  test("a history that was filled in backwards says nothing about lateness", async () => {
    const sql = `${daily(200, 600)}; CREATE TABLE copy AS SELECT * FROM bars; DELETE FROM bars;
      INSERT INTO bars (symbol, date, close) SELECT symbol, date, close FROM copy ORDER BY date DESC`;
    const { bars } = await fixture.advise(fixture.source(sql));
    expect(bars.figures?.lateness?.shareInSegment).toBeCloseTo(599 / 600, 9);
    expect(bars.columnstore?.after).toMatchObject({ advised: "7 days" });
    expect(bars.columnstore?.after.reasons[0]).toContain("a history was filled in");
  });
});

describe("queries and indexes", () => {
  const source = () =>
    fixture.source(`${daily(300, 500)}; CREATE INDEX by_symbol ON bars (symbol, date); CREATE INDEX by_close ON bars (close);
      CREATE INDEX by_date ON bars (date); CREATE INDEX by_id ON bars (id, close)`);
  const queries = {
    "one symbol":
      "SELECT close FROM bars WHERE symbol = 's7' AND time >= '2020-03-01' AND time < '2020-03-05'",
    everything: "SELECT symbol, avg(close) FROM bars GROUP BY symbol",
    "one year": "SELECT avg(close) FROM bars WHERE time >= '2020-01-01' AND time < '2021-01-01'",
    nobody: "SELECT close FROM bars WHERE symbol = 'nobody'",
    latest: "SELECT close FROM bars ORDER BY time DESC LIMIT 3",
  };

  test("SQLite's answers: time, rows, index or every row; where no server is as fast, it says so", async () => {
    const { advice } = await fixture.advise(source(), { queries });
    const of = (name: string) => advice.queries.find((query) => query.name === name);
    expect(of("one symbol")).toMatchObject({ rows: 4, tables: ["bars"], sqliteWins: true });
    expect(of("one symbol")?.answer).toBe("its index by_symbol (symbol=? AND date>? AND date<?)");
    expect(of("everything")).toMatchObject({ rows: 300, sqliteWins: false });
    expect(of("everything")?.answer).toMatch(/^reading (bars in the order of by_symbol|every row of bars)$/);
    expect(of("nobody")).toMatchObject({ rows: 0, sqliteWins: false });
    const lines = renderAdvice(advice).join("\n");
    expect(lines).toMatch(/one symbol +4 +\S.* ms +faster than any server\n/);
    expect(lines).toMatch(/nobody +0 +– +no row of this source/);
  });

  test("a query that SQLite refuses is told, and stops nothing", async () => {
    const { advice } = await fixture.advise(source(), { queries: { wrong: "SELECT missing FROM bars" } });
    expect(advice.queries[0]).toMatchObject({ sqliteMs: null, sqliteWins: false });
    expect(advice.queries[0]?.answer).toContain("no such column: missing");
  });

  test("what serves each query, what is missing, what the target has no use for", async () => {
    const words = {
      queries,
      chunk: "years(1)",
      after: `db.keys("bars", { primary: ["symbol", "time"] }); db.index("bars", ["symbol"]); db.index("bars", ["close"]);`,
    };
    const { bars } = await fixture.advise(source(), words);
    const told = bars.indexes.map(({ kind, text }) => `${kind}: ${text}`);
    expect(told).toContain('missing: (time desc) for "latest": no key or index begins so');
    expect(told).toContain('serves: the primary key (symbol, time) serves "one symbol", "nobody"');
    expect(told).toContain('serves: chunks of 1 year serve "one year"');
    expect(told).toContain('serves: no index helps "everything": no condition narrows it down');
    expect(told).toContain("redundant: bars_symbol_idx (symbol): the primary key begins with the same");
    expect(told).toContain("unused: bars_close_idx (close): no query of the workload needs it");
    expect(told).toContain("redundant: the source's by_id: a column of it is not in the target");
    // The target has its equal, in the primary key.
    expect(told.join("\n")).not.toContain("by_symbol");
    expect(bars.indexes.find(({ kind }) => kind === "missing")?.migration).toBe(
      'db.index("bars", ["time desc"]);',
    );
  });

  test("conditions are read from a query's words: qualified, quoted, parameters, joins, comments", () => {
    const found = queryConditions(`
      SELECT b.time, s.name FROM public.bars AS b JOIN stocks s ON s.symbol = b.symbol -- symbol = 'x'
      WHERE b.symbol IN ('a', 'b') AND s."sector" = $1 AND "interval" = '1d' AND b.close > (SELECT 1)
        AND b.time BETWEEN '2020-01-01' AND timestamptz '2021-01-01' AND b.low = b.high AND note <> 'time = 5'
      ORDER BY b.time DESC, s.name LIMIT 10`);
    expect(found).toMatchObject({
      tables: ["bars", "stocks"],
      equal: ["bars.symbol", "stocks.sector", "interval"],
      orderBy: ["time desc", "name"],
      limited: true,
    });
    expect(found.ranges["bars.time"]).toEqual(["2020-01-01", "2021-01-01"]);
  });
});

test("what migrations declare is read from their SQL", async () => {
  const { migrationsDir, context } = await findWorkload({ name: "stockula", path: "", options: {} });
  const tables = await declaredTables(migrationsDir, context);
  expect(tables.get("price_history")).toMatchObject({
    columns: { time: "timestamptz not null", volume: "bigint" },
    primaryKey: ["symbol", "time", "interval"],
    columnstore: { segmentBy: ["symbol"], orderBy: ["time desc"] },
    columnstoreAfter: { amount: 90, unit: "day" },
    retention: null,
  });
  expect(tables.get("options_calls")).toMatchObject({
    unique: [["symbol", "expiration_date", "strike", "contract_symbol"]],
    columnstore: null,
  });
  expect(tables.get("strategy_presets")?.indexes).toEqual([
    { name: "strategy_presets_name_idx", columns: ["name"] },
  ]);
});

describe("a measurement", { timeout: 300_000 }, () => {
  const figures = {
    bytes: { declared: 100, advised: 60 },
    loadMs: { declared: 5000, advised: 5000 },
    queriesMs: [{ declared: 2, advised: 1 }],
  };

  test("confirms what gains, and withdraws what gains nothing or costs elsewhere", () => {
    expect(verdictOf(figures).status).toBe("confirmed");
    expect(verdictOf({ ...figures, queriesMs: [] }).status).toBe("confirmed");
    const same = { declared: 100, advised: 99 };
    expect(verdictOf({ ...figures, bytes: same, queriesMs: [] }).status).toBe("withdrawn");
    expect(verdictOf({ ...figures, queriesMs: [{ declared: 1, advised: 1.3 }] }).status).toBe("withdrawn");
    expect(verdictOf({ ...figures, bytes: { declared: 100, advised: 130 } }).status).toBe("withdrawn");
    expect(verdictOf({ ...figures, loadMs: { declared: 5000, advised: 9000 } }).status).toBe("withdrawn");
  });

  test("loads a sample both ways through the loader, and compares with SQLite on the same rows", async () => {
    const queries = {
      "one symbol":
        "SELECT close FROM bars WHERE symbol = 's7' AND time >= '2021-06-01' AND time < '2021-09-01'",
      average: "SELECT symbol, avg(close) FROM bars GROUP BY symbol ORDER BY symbol",
    };
    const path = fixture.source(`${daily(20, 1000)}; CREATE INDEX by_symbol ON bars (symbol, date)`);
    const workload = await fixture.workload({ chunk: "days(14)", queries });
    const args = { workload, path, source: path, edition: "apache" as const, memoryMb: 2048 };
    const advised = await adviseWorkload(args);
    const [before] = advised.advice.hypertables;
    expect(before?.chunk).toMatchObject({ advised: "1 year", declared: "14 days" });

    const whole = await measureWorkload({ ...args, advised, sampleRows: 50_000, log() {} });
    const [bars] = whole.hypertables;
    expect(bars?.measured).toMatchObject({ rows: 20_000, of: 20_000, stretch: null });
    // What was predicted from the source is what the server made.
    const periods = Object.fromEntries(
      before?.figures?.periods.map((each) => [each.period, each.periods]) ?? [],
    );
    expect(bars?.measured?.declared.chunks).toBe(72);
    expect(bars?.measured?.advised?.chunks).toBe(periods["1 year"]);
    expect(bars?.measured?.advised?.bytes).toBeLessThan(bars?.measured?.declared.bytes ?? 0);
    for (const { measured } of whole.queries) {
      expect(measured).toMatchObject({ declaredMs: expect.any(Number), advisedMs: expect.any(Number) });
    }
    expect(whole.queries.map(({ measured }) => measured?.rows)).toEqual([92, 20]);
    const lines = renderAdvice(whole).join("\n");
    expect(lines).toMatch(/chunks +72 +4\n/);
    expect(lines).toMatch(/measured on TimescaleDB .* \(apache\), a server of its own/);
    expect(lines).toMatch(/(confirmed|withdrawn): .* against /);

    // The sample holds the months that the queries name, though they are not the last.
    const some = await measureWorkload({ ...args, advised, sampleRows: 4000, log() {} });
    const { stretch, rows } = some.hypertables[0]?.measured ?? {};
    expect(rows).toBe(4000);
    expect(stretch).toEqual(["2021-02-13T00:00:00.000Z", expect.stringContaining("2021-08-31")]);
    expect(some.queries[0]?.measured?.rows).toBe(92);
  });

  test("withdraws choices under which the load fails", async () => {
    const path = fixture.source(daily(1, 5000));
    const advised = await fixture.advise(path, { chunk: "months(1)" }, { edition: "apache" });
    advised.bars.chunk.advised = "soon";
    const workload = await fixture.workload({ chunk: "months(1)" });
    const measured = await measureWorkload({
      ...{ workload, advised, source: path, path, edition: "apache", sampleRows: 10_000, log() {} },
    });
    expect(measured.hypertables[0]).toMatchObject({
      ...{ config: [], measured: { rows: 5000, advised: null } },
    });
    expect(measured.hypertables[0]?.measured?.verdict).toEqual({
      status: "withdrawn",
      reason: expect.stringContaining(
        'the load fails: timelift:hypertables.bars.chunk: "soon" is no span of time',
      ),
    });
  });

  test("that does not bear an advice out takes its commands away", async () => {
    const { advice } = await fixture.advise(fixture.source(daily(1, 5000)), { chunk: "months(1)" });
    expect(advice.hypertables[0]?.config).not.toEqual([]);
    const size = { rows: 5000, chunks: 1, bytes: 1 };
    const measurement = {
      ...{
        server: "a server",
        columnstore: false,
        declared: { loadMs: 1, columnstoreMs: 0 },
        advised: null,
        queries: [],
      },
      tables: [
        {
          ...{ table: "bars", rows: 5000, of: 5000, stretch: null, declared: size, advised: size },
          verdict: { status: "withdrawn" as const, reason: "nothing gained" },
        },
      ],
    };
    const applied = applyMeasurement(advice, measurement);
    expect(applied.hypertables[0]?.config).toEqual([]);
    expect(renderAdvice(applied).join("\n")).toContain("withdrawn: nothing gained");
  });
});

describe.skipIf(!process.env.TIMELIFT_COMMUNITY_URL)("on the Community edition", { timeout: 300_000 }, () => {
  test("segments and order are measured too", async () => {
    const path = fixture.source(daily(3000, 60));
    const words = {
      ...{
        chunk: "days(7)",
        symbol: "text",
        queries: { one: "SELECT close FROM bars WHERE symbol = 's7' ORDER BY time" },
      },
      before: `db.columnstore("bars", { segmentBy: ["symbol"], orderBy: ["time desc"] });`,
      after: `db.keys("bars", { primary: ["symbol", "time"] }); db.columnstorePolicy("bars", { after: days(30) });`,
    };
    const { advice, facts, sources, bars } = await fixture.advise(path, words);
    expect(bars.columnstore).toMatchObject({
      segmentBy: { advised: [] },
      orderBy: { advised: ["symbol", "time"] },
    });
    const measured = await measureWorkload({
      ...{ workload: await fixture.workload(words), advised: { advice, facts, sources } },
      ...{ source: path, path, edition: "community", sampleRows: 500_000, log() {} },
    });
    expect(measured.measurement).toMatchObject({ columnstore: true });
    const { declared, advised, verdict } = measured.hypertables[0]?.measured ?? {};
    expect(advised?.bytes).toBeLessThan(declared?.bytes ?? 0);
    expect(verdict?.reason).toContain("against");
  });
});

describe("the command", () => {
  test("works from a source and a workload alone, writes nothing, and gives JSON", async () => {
    const path = fixture.source(daily(1, 5000));
    const folder = fixture.workloadFolder({ chunk: "months(1)" });
    const hash = () => createHash("sha256").update(readFileSync(path)).digest("hex");
    const [before, beside] = [hash(), readdirSync(dirname(path))];
    const args = ["advise", "--source", path, "--workload-path", folder];
    const { stdout } = await execa(timelift, args, { env: { PATH: "/usr/bin:/bin" } });
    expect(stdout).toContain("pulumi config set --path 'timelift:hypertables.bars.chunk' '1 year'");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const json = JSON.parse((await execa(timelift, [...args, "--json", "--edition", "community"])).stdout);
    expect(json).toMatchObject({
      edition: "community",
      hypertables: [{ table: "bars", chunk: { advised: "1 year", declared: "1 month" } }],
    });
    expect([hash(), readdirSync(dirname(path))]).toEqual([before, beside]);
  });

  test("reads a source in WAL mode that an application has open", async () => {
    const path = fixture.source(daily(1, 100));
    const writer = new Database(path);
    writer.pragma("journal_mode = wal");
    writer.exec("INSERT INTO bars (symbol, date, close) VALUES ('s0', '2021-01-01', 1)");
    try {
      const folder = fixture.workloadFolder({});
      const { stdout } = await execa(timelift, [
        "advise",
        "--source",
        path,
        "--workload-path",
        folder,
        "--json",
      ]);
      expect(JSON.parse(stdout).hypertables[0].figures).toMatchObject({
        rows: 101,
        until: "2021-01-01T00:00:00.000Z",
      });
    } finally {
      writer.close();
    }
  });

  test("a source that is not there, and a workload that is not, are errors with a remedy", async () => {
    const missing = join(fixture.folder, "missing.db");
    const folder = fixture.workloadFolder({});
    const run = (args: string[]) => execa(timelift, ["advise", ...args], { reject: false });
    const source = await run(["--source", missing, "--workload-path", folder]);
    expect([source.exitCode, source.stderr]).toEqual([1, expect.stringContaining("remedy:")]);
    const workload = await run(["--source", fixture.source(daily(1, 1)), "--workload", "nothing"]);
    expect([workload.exitCode, workload.stderr]).toEqual([
      1,
      expect.stringContaining("there is no such workload"),
    ]);
    expect(existsSync(missing)).toBe(false);
  });
});
