import Database from "better-sqlite3";
import { quoteIdentifier } from "../loaders/identifier.ts";

/** One value as SQLite stores it, and what becomes of it. */
export interface HorrorValue {
  /** SQL of SQLite. */
  sql: string;
  /** The value in the target as text (UTC), null for NULL; `reject` when the default rules leave the row out. */
  byDefault: string | null | typeof reject;
  /** The same under the rules and types that inspect suggests. @default the same as by default */
  bySuggestion?: string | null | typeof reject;
}

/** A table `name (id, value)` whose second column is the horror. */
export interface Horror {
  name: string;
  /** Type as the application declared it. */
  declared: string;
  /** The obvious type in the target, for somebody who knows the application. */
  target: string;
  values: HorrorValue[];
  /** What inspect has to say of the column: words of what it holds, and its suggestion. */
  holds: string[];
  suggests: string;
}

/** Marks a value that has to be named as a reject. */
export const reject = Symbol("reject");

const noon = "2024-03-10 12:34:56+00";
const good = (
  sql: string,
  byDefault: string | null,
  bySuggestion: string | null = byDefault,
): HorrorValue => ({
  ...{ sql, byDefault, bySuggestion },
});
const bad = (sql: string, bySuggestion: string | null | typeof reject = reject): HorrorValue => ({
  ...{ sql, byDefault: reject, bySuggestion },
});

/** One column for each thing that SQLite lets pass and PostgreSQL does not. */
export const horrors: Horror[] = [
  {
    ...{ name: "iso_space", declared: "DATETIME", target: "timestamptz" },
    values: [
      good("'2024-03-10 12:34:56'", noon),
      good("'2024-03-10 12:34'", "2024-03-10 12:34:00+00"),
      good("NULL", null),
    ],
    ...{ holds: ["2 ISO timestamps"], suggests: "timestamptz" },
  },
  {
    ...{ name: "iso_t", declared: "TEXT", target: "timestamptz" },
    values: [good("'2024-03-10T12:34:56'", noon)],
    ...{ holds: ["with T"], suggests: "timestamptz" },
  },
  {
    ...{ name: "iso_z", declared: "TIMESTAMP", target: "timestamptz" },
    values: [good("'2024-03-10T12:34:56Z'", noon)],
    ...{ holds: ["with Z"], suggests: "timestamptz" },
  },
  {
    ...{ name: "iso_offset", declared: "datetime", target: "timestamptz" },
    values: [good("'2024-03-10 14:34:56+02:00'", noon), good("'2024-03-10T07:04:56-0530'", noon)],
    ...{ holds: ["with offset"], suggests: "timestamptz" },
  },
  {
    ...{ name: "iso_fraction", declared: "DATETIME", target: "timestamptz" },
    values: [
      good("'2024-03-10 12:34:56.789012'", "2024-03-10 12:34:56.789012+00"),
      good("'2024-03-10 12:34:56.5'", "2024-03-10 12:34:56.5+00"),
    ],
    ...{ holds: ["with fraction"], suggests: "timestamptz" },
  },
  {
    ...{ name: "iso_date", declared: "DATE", target: "date" },
    values: [
      good("'2024-02-29'", "2024-02-29"),
      good("'0001-01-01'", "0001-01-01"),
      good("'9999-12-31'", "9999-12-31"),
    ],
    ...{ holds: ["3 ISO dates"], suggests: "date" },
  },
  {
    ...{ name: "epoch_s", declared: "DATETIME", target: "timestamptz" },
    values: [bad("1710074096", noon), bad("1710074096.25", "2024-03-10 12:34:56.25+00")],
    ...{ holds: ["2 like epoch s"], suggests: 'timestamptz value: { read: epoch("s") }' },
  },
  {
    ...{ name: "epoch_ms", declared: "DATETIME", target: "timestamptz" },
    values: [bad("1710074096000", noon), good("'2024-03-10T12:34:56Z'", noon)],
    ...{
      holds: ["1 like epoch ms", "1 ISO timestamp"],
      suggests: 'timestamptz value: { read: epoch("ms") }',
    },
  },
  {
    ...{ name: "epoch_us", declared: "TIMESTAMP", target: "timestamptz" },
    values: [bad("1710074096000001", "2024-03-10 12:34:56.000001+00")],
    ...{ holds: ["1 like epoch us"], suggests: 'timestamptz value: { read: epoch("us") }' },
  },
  {
    ...{ name: "julian_day", declared: "DATETIME", target: "timestamptz" },
    values: [bad("2460380.0242592595", noon), bad("2460380", "2024-03-10 12:00:00+00")],
    ...{ holds: ["2 like Julian days"], suggests: "timestamptz value: { read: julianDay }" },
  },
  {
    ...{ name: "out_of_range", declared: "DATETIME", target: "timestamptz" },
    values: [
      good("'2024-03-10 12:34:56'", noon),
      good("'1999-12-31 23:59:59'", "1999-12-31 23:59:59+00"),
      good("'0001-01-01 00:00:00'", "0001-01-01 00:00:00+00"),
      bad("'0000-00-00 00:00:00'"),
      bad("'2023-02-30 10:00:00'"),
      bad("'294277-01-01 00:00:00'"),
    ],
    ...{ holds: ["3 impossible dates"], suggests: "timestamptz" },
  },
  {
    ...{ name: "boolean_01", declared: "BOOLEAN", target: "boolean" },
    values: [good("0", "false"), good("1", "true"), bad("2")],
    ...{ holds: ["integer"], suggests: "boolean" },
  },
  {
    ...{ name: "boolean_t", declared: "bool", target: "boolean" },
    values: [good("'t'", "true"), good("'f'", "false"), good("'N'", "false"), bad("'maybe'")],
    ...{ holds: ["3 boolean words", "1 text"], suggests: "boolean" },
  },
  {
    ...{ name: "boolean_true", declared: "BOOLEAN", target: "boolean" },
    values: [good("'true'", "true"), good("'FALSE'", "false"), good("1", "true")],
    ...{ holds: ["2 boolean words", "1 integer (0 or 1)"], suggests: "boolean" },
  },
  {
    ...{ name: "number_as_text", declared: "TEXT", target: "bigint" },
    values: [
      good("'42'", "42"),
      good("'-7'", "-7"),
      good("'9007199254740993'", "9007199254740993"),
      bad("'4.5'", "4.5"),
    ],
    ...{ holds: ["3 integers as text", "1 number as text"], suggests: "text" },
  },
  {
    ...{ name: "text_in_integer", declared: "INTEGER", target: "bigint" },
    values: [good("12", "12"), good("13", "13"), bad("'abc'")],
    ...{ holds: ["2 integers", "1 text"], suggests: "bigint" },
  },
  {
    ...{ name: "big_integer", declared: "INTEGER", target: "bigint" },
    values: [
      good("9007199254740993", "9007199254740993"),
      good("9223372036854775807", "9223372036854775807"),
      good("-9223372036854775808", "-9223372036854775808"),
    ],
    ...{ holds: ["3 integers beyond 2^53"], suggests: "bigint" },
  },
  {
    ...{ name: "beyond_int8", declared: "", target: "bigint" },
    values: [
      good("1", "1"),
      bad("9223372036854775808", "9223372036854776000"),
      bad("'18446744073709551616'", "18446744073709551616"),
    ],
    ...{ holds: ["1 whole real beyond 2^53", "1 integer beyond int8 as text"], suggests: "numeric" },
  },
  {
    ...{ name: "infinity", declared: "REAL", target: "double precision" },
    values: [
      good("9e999", "Infinity"),
      good("-9e999", "-Infinity"),
      good("1.5", "1.5"),
      good("'NaN'", "NaN"),
      good("0.0 / 0", null),
    ],
    ...{ holds: ["2 infinities", "1 infinity or NaN as text"], suggests: "double precision" },
  },
  {
    ...{ name: "empty_number", declared: "INTEGER", target: "bigint" },
    values: [good("5", "5"), good("NULL", null), bad("''", null)],
    ...{ holds: ["1 empty text", "1 NULL"], suggests: 'bigint value: { empty: "null" }' },
  },
  {
    ...{ name: "empty_time", declared: "DATETIME", target: "timestamptz" },
    values: [good("'2024-03-10 12:34:56'", noon), bad("''", null)],
    ...{ holds: ["1 empty text"], suggests: 'timestamptz value: { empty: "null" }' },
  },
  {
    ...{ name: "empty_text", declared: "TEXT", target: "text" },
    values: [good("''", ""), good("NULL", null), good("'x'", "x")],
    ...{ holds: ["1 empty text", "1 NULL"], suggests: "text" },
  },
  {
    ...{ name: "invalid_utf8", declared: "TEXT", target: "text" },
    values: [good("'é€😀'", "é€😀"), good("'\uFFFD'", "\uFFFD"), bad("CAST(x'6162ff63' AS TEXT)")],
    ...{ holds: ["1 invalid text"], suggests: "text" },
  },
  {
    ...{ name: "embedded_nul", declared: "VARCHAR(20)", target: "text" },
    values: [good("'whole'", "whole"), bad("CAST(x'610062' AS TEXT)")],
    ...{ holds: ["1 text with NUL"], suggests: "text" },
  },
  {
    ...{ name: "broken_json", declared: "JSON", target: "jsonb" },
    values: [
      good(`'{"a": [1, null]}'`, '{"a": [1, null]}'),
      good("'[]'", "[]"),
      good("5", "5"),
      bad(`'{"a": '`),
      bad("'nothing'"),
    ],
    ...{ holds: ["1 broken JSON"], suggests: "jsonb" },
  },
  {
    ...{ name: "blob_in_text", declared: "TEXT", target: "text" },
    values: [good("'fine'", "fine"), bad("x'00ff'")],
    ...{ holds: ["1 blob"], suggests: "text" },
  },
  {
    ...{ name: "text_in_blob", declared: "BLOB", target: "bytea" },
    values: [good("x'00ff'", "\\x00ff"), bad("'text'")],
    ...{ holds: ["1 text"], suggests: "bytea" },
  },
  {
    ...{ name: "real_in_integer", declared: "INT", target: "bigint" },
    values: [good("3", "3"), bad("3.5", "3.5")],
    ...{ holds: ["1 real"], suggests: "double precision" },
  },
];

/** Beside the columns: tables and views that are odd in themselves, all of whose rows load. */
export const oddTables: { name: string; source: string; target: string; rows: string[] }[] = [
  {
    name: "generated",
    source: `CREATE TABLE generated (id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER AS (a * 2) VIRTUAL,
      label TEXT AS ('n' || a) STORED);
      INSERT INTO generated (id, a) VALUES (1, 21), (2, NULL)`,
    target: "id bigint, a bigint, twice bigint, label text",
    rows: ["1 21 42 n21", "2 null null null"],
  },
  {
    name: "without_rowid",
    source: `CREATE TABLE without_rowid (k TEXT, n INTEGER, v REAL, PRIMARY KEY (n, k)) WITHOUT ROWID;
      INSERT INTO without_rowid VALUES ('b', 2, 0.5), ('a', 1, 1.5)`,
    target: "k text, n bigint, v double precision",
    rows: ["a 1 1.5", "b 2 0.5"],
  },
  {
    name: "Select",
    source: `CREATE TABLE "Select" ("rowid" TEXT, "order" INTEGER, "MixedCase" TEXT, "with space" TEXT, "größe 日付" TEXT);
      INSERT INTO "Select" VALUES ('not the rowid', 1, 'M', 'w s', 'ß')`,
    target: `"rowid" text, "order" bigint, "MixedCase" text, "with space" text, "größe 日付" text`,
    rows: ["not the rowid 1 M w s ß"],
  },
  {
    name: 'quo"ted',
    source: `CREATE TABLE "quo""ted" ("say ""hi""" TEXT, "it's" INTEGER); INSERT INTO "quo""ted" VALUES ('q', 2)`,
    target: `"say ""hi""" text, "it's" bigint`,
    rows: ["q 2"],
  },
];

/** Views are loaded like tables when the loader names them. */
export const view = {
  name: "a_view",
  source: "CREATE VIEW a_view AS SELECT id, value || '!' AS loud FROM empty_text WHERE value <> ''",
  target: "id bigint, loud text",
  rows: ["3 x!"],
};

/** Things that cannot be read at all, and must not be in the way of the rest. */
export const broken = ["broken_view", "broken_virtual"];

/** Writes the database of horrors to a path. */
export function buildHorrors(path: string): void {
  const source = new Database(path);
  for (const { name, declared, values } of horrors) {
    source.exec(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, value ${declared})`);
    for (const { sql } of values) source.exec(`INSERT INTO ${name} (value) VALUES (${sql})`);
  }
  for (const table of oddTables) source.exec(table.source);
  source.exec(view.source);
  source.exec("CREATE TABLE gone (x); CREATE VIEW broken_view AS SELECT x FROM gone; DROP TABLE gone");
  source.unsafeMode(true);
  source.pragma("writable_schema = on");
  source.exec(`INSERT INTO sqlite_schema VALUES ('table', 'broken_virtual', 'broken_virtual', 0,
    'CREATE VIRTUAL TABLE broken_virtual USING no_such_module(a)')`);
  source.close();
}

/** The target with the obvious type for every column. */
export function obviousTarget(): string {
  const columns = horrors.map(({ name, target }) => `CREATE TABLE ${name} (id bigint, value ${target});`);
  const tables = [...oddTables, view].map(
    (each) => `CREATE TABLE ${quoteIdentifier(each.name)} (${each.target});`,
  );
  return [...columns, ...tables].join("\n");
}
