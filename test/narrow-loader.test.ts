import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { defineLoader, epoch, julianDay, sourceNameOf } from "../loaders/define-loader.ts";
import { isNarrowed, type Narrowing, narrowLoader } from "../loaders/narrow-loader.ts";
import { readSourceSchema } from "../loaders/source/source-schema.ts";

const source = new Database(":memory:");
source.exec(`
  CREATE TABLE prices (id INTEGER PRIMARY KEY, symbol TEXT, date TEXT, close REAL);
  CREATE TABLE "odd ""name" ("a ""b" TEXT, untyped, at_s, at_us, at_day);
  CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT);
  INSERT INTO prices VALUES (1, 'AAPL', '2019-12-31', 1), (2, 'O''X', '2020-01-01T00:00:00Z', 2), (3, NULL, '2020-06-01', 3);
  INSERT INTO "odd ""name" VALUES
    ('x', 7, unixepoch('2019-12-31 23:59:59'), 1577836799999999, julianday('2019-12-31 12:00')),
    ('y', '7', unixepoch('2020-01-01'), '1577836800000000', julianday('2020-01-01')),
    ('z', '07', '2020-01-02 10:00', '2019-12-31', '2020-01-02');`);

const loader = defineLoader({
  tables: {
    prices: { columns: { date: "time" }, where: "close < 3 OR close >= 3" },
    odd: {
      from: 'odd "name',
      columns: {
        'a "b': "symbol",
        at_s: { to: "time", read: epoch("s") },
        at_us: { read: epoch("us") },
        at_day: { read: julianDay },
      },
    },
    notes: {},
  },
  queries: { some: { sqlite: "SELECT 1", timescale: "SELECT 1" } },
});
const hypertables = [
  { table: "prices", time: "time" },
  { table: "odd", time: "time" },
];
const narrow = (narrowing: Narrowing, times = hypertables) => {
  source.defaultSafeIntegers(true);
  return narrowLoader(loader, narrowing, { schema: readSourceSchema(source), hypertables: times });
};

/** Rowids of a table that the narrowed condition lets through. */
function chosen(narrowing: Narrowing, table: "prices" | "odd" | "notes", times = hypertables): number[] {
  const { where = "true", ...definition } = narrow(narrowing, times).tables[table] ?? {};
  const from = sourceNameOf(table, definition);
  const sql = `SELECT rowid FROM "${from.replaceAll('"', '""')}" WHERE (${where}) ORDER BY rowid`;
  return source.prepare(sql).pluck().all().map(Number);
}

test("nothing chosen is the loader as it was", () => {
  expect(isNarrowed({})).toBe(false);
  expect(narrow({})).toBe(loader);
});

test("a key holds for every table that has it, by its name in source or target", () => {
  const narrowed = narrow({ keys: { symbol: ["AAPL", "y"] } });
  expect(narrowed.tables.notes).toBe(loader.tables.notes);
  expect(narrowed.queries).toBeUndefined();
  expect(chosen({ keys: { symbol: ["AAPL", "y"] } }, "prices")).toEqual([1]);
  expect(chosen({ keys: { symbol: ["AAPL", "y"] } }, "odd")).toEqual([2]);
  expect(chosen({ keys: { 'a "b': ["z"] } }, "odd")).toEqual([3]);
});

test("values are text to SQL, whatever is in them; numbers are numbers too", () => {
  expect(chosen({ keys: { symbol: ["O'X"] } }, "prices")).toEqual([2]);
  expect(chosen({ keys: { symbol: ["') OR 1=1 --"] } }, "prices")).toEqual([]);
  expect(chosen({ keys: { id: ["2", "3"] } }, "prices")).toEqual([2, 3]);
  expect(chosen({ keys: { untyped: ["7"] } }, "odd")).toEqual([1, 2]);
  expect(chosen({ keys: { untyped: ["07"] } }, "odd")).toEqual([3]);
});

test("the loader's own condition holds too", () => {
  const where = narrow({ keys: { id: ["1"] } }).tables.prices?.where;
  expect(where).toBe(`(close < 3 OR close >= 3) AND "id" IN ('1', 1)`);
});

test.each([
  ["epoch in seconds", "time"],
  ["epoch in microseconds, as number or text", "at_us"],
  ["Julian days", "at_day"],
])("a start date compares %s in its unit, and ISO texts as text", (_what, time) => {
  const last = time === "at_us" ? [] : [3];
  expect(chosen({ startDate: "2020-01-01" }, "odd", [{ table: "odd", time }])).toEqual([2, ...last]);
});

test("a start date compares texts as texts, and leaves plain tables whole", () => {
  expect(chosen({ startDate: "2020-01-01" }, "prices")).toEqual([2, 3]);
  expect(narrow({ startDate: "2020-01-01" }).tables.notes).toBe(loader.tables.notes);
});

test.each<[Narrowing, string, RegExp]>([
  [{ tables: ["price"] }, "narrow-table", /Did you mean "prices"/],
  [{ keys: { symbl: ["x"] } }, "narrow-column", /Did you mean "symbol"/],
  [{ tables: ["notes"], keys: { symbol: ["x"] } }, "narrow-column", /none of the chosen tables \(notes\)/],
  [{ tables: ["notes"], startDate: "2020-01-01" }, "narrow-date", /is a hypertable/],
  [{ startDate: "2020-1-1" }, "narrow-date", /no day of the calendar/],
  [{ startDate: "2023-02-29" }, "narrow-date", /no day of the calendar/],
])("refuses %j", (narrowing, code, message) => {
  expect(() => narrow(narrowing)).toThrow(expect.objectContaining({ code }));
  expect(() => narrow(narrowing)).toThrow(message);
});
