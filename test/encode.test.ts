import Database from "better-sqlite3";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { CopyRows } from "../loaders/copy-rows.ts";
import { epoch, julianDay, type Reading } from "../loaders/define-loader.ts";
import { CopyBuffer } from "../loaders/encode/copy-buffer.ts";
import { type EncodedColumn, rowEncoder, rowProblems } from "../loaders/encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../loaders/encode/value-problem.ts";
import { readTargetTable, type TargetType } from "../loaders/target-table.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

/**
 * Target type -> source values as SQL literals, each with the text that PostgreSQL gives back; without a text, the
 * type's own input function says what is right.
 */
const fits: Record<string, [sqlite: string, text?: string][]> = {
  text: [["''"], ["'plain'"], ["'ünï — 漢字 🎉'"], [`'${"long ".repeat(40)}'`], ["'tab\t and \\'"]],
  "varchar(4)": [["'four'"], ["'🎉🎉🎉🎉'"]],
  boolean: [
    ["0", "false"],
    ["1", "true"],
    ...["'t'", "'TRUE'", "'1'", "'y'", "'Yes'", "'on'"].map((word): [string, string] => [word, "true"]),
    ...["'f'", "'False'", "'0'", "'N'", "'no'", "'OFF'"].map((word): [string, string] => [word, "false"]),
  ],
  smallint: [["-32768"], ["32767"], ["7.0", "7"], ["'-32768'"], ["'+007'", "7"]],
  integer: [["-2147483648"], ["2147483647"], ["0"], ["'2147483647'"]],
  bigint: [
    ["9223372036854775807"],
    ["-9223372036854775808"],
    ["9007199254740993"],
    ["-4.0", "-4"],
    ["'9223372036854775807'"],
    ["'-9223372036854775808'"],
    ["'9007199254740993'"],
  ],
  real: [
    ["0.5"],
    ["-1.25"],
    ["16777216", "1.6777216e+07"],
    ["'0.5'"],
    ["'NaN'", "NaN"],
    ["'-inf'", "-Infinity"],
  ],
  "double precision": [
    ["129.94000244140625"],
    ["0.1"],
    ["-0.0", "-0"],
    ["9e999", "Infinity"],
    ["-9e999", "-Infinity"],
    ["5e-324", "5e-324"],
    ["1.7976931348623157e308", "1.7976931348623157e+308"],
    ["9007199254740992", "9.007199254740992e+15"],
    ["'1.5'"],
    ["'-129.94000244140625'"],
    ["'0.1'"],
    ["'+1e-7'", "1e-07"],
    ["'9007199254740993'", "9.007199254740992e+15"],
    ["'5e-324'", "5e-324"],
    ["'-0'", "-0"],
    ...["'Infinity'", "'INF'"].map((word): [string, string] => [word, "Infinity"]),
    ...["'-infinity'", "'-Inf'"].map((word): [string, string] => [word, "-Infinity"]),
    ["'nan'", "NaN"],
  ],
  numeric: [
    ["0", "0"],
    ["-12345", "-12345"],
    ["0.1", "0.1"],
    ["129.94000244140625"],
    ["1e21", "1000000000000000000000"],
    ["1.5e-7", "0.00000015"],
    ["'0001.2300'", "1.2300"],
    ["'-.5'", "-0.5"],
    ["9e999", "Infinity"],
    ["-0.0", "0"],
    ["'12345678901234567890.12345678901234567890'"],
    ["10000", "10000"],
    ["100000000", "100000000"],
    ["'0.00001'"],
  ],
  "numeric(20,6)": [
    ["129.94000244140625", "129.940002"],
    ["0.0000005", "0.000001"],
    ["-0.0000005", "-0.000001"],
    ["0.0000004", "0.000000"],
    ["99999.9999999", "100000.000000"],
    ["'1.5'", "1.500000"],
    ["'1.50000000'", "1.500000"],
  ],
  "numeric(3,-2)": [
    ["1250.0", "1300"],
    ["'12300'", "12300"],
    ["'12300.00'", "12300"],
  ],
  date: [["'2024-02-29'"], ["'0001-01-01'"], ["'9999-12-31'"], ["'2024-01-02 00:00:00'", "2024-01-02"]],
  timestamp: [["'2024-01-02 03:04:05.678901'"], ["'1969-12-31T23:59:59'", "1969-12-31 23:59:59"]],
  timestamptz: [
    ["'2024-01-02'", "2024-01-02 00:00:00+00"],
    ["'2024-01-02 03:04'", "2024-01-02 03:04:00+00"],
    ["'2024-01-02 03:04:05'", "2024-01-02 03:04:05+00"],
    ["'2024-01-02T03:04:05.5Z'", "2024-01-02 03:04:05.5+00"],
    ["'2024-01-02T03:04:05+05:30'", "2024-01-01 21:34:05+00"],
    ["'2024-01-02 03:04:05-0800'", "2024-01-02 11:04:05+00"],
    ["'2024-01-02 03:04:05.123456000'", "2024-01-02 03:04:05.123456+00"],
    ["'0001-01-01 00:00:00'", "0001-01-01 00:00:00+00"],
    ["'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999+00"],
    ["'1900-03-01'", "1900-03-01 00:00:00+00"],
  ],
  "timestamptz(3)": [["'2024-01-02 03:04:05.678'", "2024-01-02 03:04:05.678+00"]],
  uuid: [
    ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ["'a0eebc999c0b4ef8bb6d6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ["x'a0eebc999c0b4ef8bb6d6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
  ],
  json: [[`'{"b": 1,  "a": [null, "ü"]}'`], ["'\"\\u0000\"'"], ["5", "5"], ["1.5", "1.5"], ["'null'"]],
  jsonb: [
    [`'{"b": 1,  "a": [null, "ü"]}'`, '{"a": [null, "ü"], "b": 1}'],
    ["'\"\\\\u0000\"'", '"\\\\u0000"'],
    ["'\"\\ud83c\\udf89\"'", '"🎉"'],
    ["7", "7"],
  ],
  bytea: [
    ["x''", "\\x"],
    ["x'00ff10'", "\\x00ff10"],
  ],
};

const problems: [type: string, sqlite: string, reason: RegExp][] = [
  ["text", "5", /integer 5 is no text/],
  ["text", "'a' || char(0) || 'b'", /embedded NUL/],
  ["varchar(4)", "'fiver'", /longer than varchar\(4\)/],
  ["boolean", "2", /integer 2 is no boolean/],
  ["boolean", "'maybe'", /is no boolean/],
  ["boolean", "1.0", /real 1 is no boolean/],
  ["boolean", "'1.0'", /is no boolean/],
  ["smallint", "32768", /outside the range of smallint/],
  ["integer", "2147483648", /outside the range of integer/],
  ["bigint", "1.5", /real 1.5 is no exact bigint/],
  ["bigint", "'12.0'", /text "12.0" is no bigint/],
  ["bigint", "'1e3'", /is no bigint/],
  ["bigint", "' 12'", /is no bigint/],
  ["bigint", "'twelve'", /text "twelve" is no bigint/],
  ["bigint", "'9223372036854775808'", /outside the range of bigint/],
  ["bigint", "'-9223372036854775809'", /outside the range of bigint/],
  ["bigint", "9223372036854775808", /real 9223372036854776000 is no exact bigint/],
  ["bigint", "9e999", /real Infinity is no exact bigint/],
  ["smallint", "'32768'", /outside the range of smallint/],
  ["bigint", "x'31'", /blob x'31' \(1 bytes\) is no bigint/],
  ["bigint", "''", /declare empty: "null"/],
  ["double precision", "''", /declare empty: "null"/],
  ["boolean", "''", /declare empty: "null"/],
  ["timestamptz", "''", /declare empty: "null"/],
  ["jsonb", "''", /declare empty: "null"/],
  ["bytea", "''", /declare empty: "null"/],
  ["text", "x'61'", /is no text/],
  ["jsonb", "x'7b7d'", /is no jsonb/],
  ["timestamptz", "x'00'", /is no timestamptz/],
  ["numeric", "x'00'", /is no numeric/],
  ["uuid", "x'00ff'", /is no uuid/],
  ["real", "0.1", /no exact single-precision/],
  ["double precision", "9007199254740993", /more digits than double precision holds/],
  ["double precision", "'1,5'", /is no double precision/],
  ["double precision", "'.5'", /is no double precision/],
  ["double precision", "'0x10'", /is no double precision/],
  ["double precision", "'constructor'", /is no double precision/],
  ["double precision", "'1e999'", /outside the range of double precision/],
  ["double precision", "'1e-999'", /outside the range of double precision/],
  ["real", "'0.1'", /no exact single-precision/],
  ["numeric", "'1,5'", /is no numeric/],
  ["numeric(20,6)", "'0.0000005'", /more than 6 decimals/],
  ["numeric(20,6)", "1e14", /too large for numeric\(20,6\)/],
  ["numeric(3,-2)", "'1250'", /more than -2 decimals/],
  ["numeric(20,6)", "9e999", /finite/],
  ["date", "'2023-02-29'", /is no date: the calendar has no such day/],
  ["date", "'2024-01-02 00:00:01'", /time of day/],
  ["date", "'2024-01-02T00:00:00Z'", /names a zone/],
  ["date", "'2024-01-02T01:00+01:00'", /names a zone/],
  ["timestamptz", "1700000000000", /does not say its unit/],
  ["timestamptz", "'01/02/2024'", /is no timestamptz/],
  ["timestamptz", "'2024-01-02 24:00:00'", /hours end at 23/],
  ["timestamptz", "'2016-12-31 23:59:60'", /leap second/],
  ["timestamptz", "'0000-01-01'", /the year 0/],
  ["timestamptz", "'2024-13-01'", /no such day/],
  ["timestamptz", "'2024-01-02 12:60'", /no such time/],
  ["timestamptz", "'2024-01-02 12:00+16:00'", /no such offset/],
  ["timestamptz", "9e999", /does not say its unit/],
  [
    "timestamptz",
    "'1700000000'",
    /if it is seconds since 1970, declare columns: \{ value: \{ read: epoch\("s"\) \} \}/,
  ],
  ["timestamptz", "1700000000000", /if it is milliseconds since 1970, .*epoch\("ms"\)/],
  ["timestamp", "1700000000000000", /if it is microseconds since 1970, .*epoch\("us"\)/],
  ["date", "2460310.5", /if it is a Julian day number, .*read: julianDay/],
  ["date", "42", /declare columns: \{ value: \{ read: epoch\("s" \| "ms" \| "us"\) or julianDay/],
  ["timestamptz", "'2024-01-02 00:00:00.1234567'", /more than 6 decimals/],
  ["timestamptz", "'CURRENT_TIMESTAMP'", /is no timestamptz/],
  ["uuid", "'a0eebc99'", /is no uuid/],
  ["json", "'{'", /no valid JSON/],
  ["json", "'NaN'", /no valid JSON/],
  ["jsonb", "'\"\\u0000\"'", /refuses/],
  ["jsonb", "'\"\\ud83c\"'", /refuses/],
  ["bytea", "'text'", /is no bytea/],
];

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await databaseFromTemplate("encode");
  client = await connect(database.owner, "test");
  await client.query("SET TimeZone = 'UTC'");
}, 120_000);

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

function fromSqlite(literal: string): SourceValue {
  const source = new Database(":memory:").defaultSafeIntegers();
  try {
    return source.prepare(`SELECT ${literal}`).pluck().get() as SourceValue;
  } finally {
    source.close();
  }
}

async function targetOf(type: string, rule: Partial<EncodedColumn> = {}): Promise<EncodedColumn[]> {
  await client.query(`DROP TABLE IF EXISTS one; CREATE TABLE one (n int NOT NULL, value ${type})`);
  const [n, value] = (await readTargetTable(client, "one")).columns;
  if (!n?.type || !value?.type) throw new Error(`${type} was not understood`);
  return [n, value].map(({ name, type, nullable }) => ({
    ...{ source: name, target: name, type: type as TargetType, nullable, reading: null, emptyIsNull: false },
    ...(name === "value" && rule),
  }));
}

describe.each(Object.entries(fits))("%s", (type, cases) => {
  test("arrives as the same value", async () => {
    const encode = rowEncoder(await targetOf(type), 0);
    const out = new CopyBuffer(16);
    for (const [n, [literal]] of cases.entries()) encode([BigInt(n), fromSqlite(literal)], out);
    encode([BigInt(cases.length), null], out);
    const copy = new CopyRows(client, "one", ["n", "value"]);
    await copy.write(out.bytes.subarray(0, out.at));
    await copy.finish();

    const { rows } = await client.query("SELECT value::text FROM one ORDER BY n");
    for (const [n, [literal, text]] of cases.entries()) {
      const expected =
        text ??
        (await client.query(`SELECT $1::${type}::text AS value`, [String(fromSqlite(literal))])).rows[0]
          .value;
      expect([literal, rows[n].value]).toEqual([literal, expected]);
    }
    expect(rows.at(-1).value).toBeNull();
  });
});

describe("a value that does not fit is a problem, not another value", () => {
  test.each(problems)("%s refuses %s", async (type, literal, reason) => {
    const encode = rowEncoder(await targetOf(type), 0);
    const out = new CopyBuffer(16);
    const attempt = () => encode([1n, fromSqlite(literal)], out);
    expect(attempt).toThrow(ValueProblem);
    expect(attempt).toThrow(reason);
    expect(out.at).toBe(0);
  });

  test("NULL where the target says NOT NULL", () => {
    const column: EncodedColumn = {
      ...{ source: "n", target: "n", nullable: false, reading: null, emptyIsNull: true },
      type: { kind: "int4" },
    };
    const encode = rowEncoder([column], 0);
    expect(() => encode([null], new CopyBuffer(16))).toThrow(/NOT NULL/);
    expect(() => encode([""], new CopyBuffer(16))).toThrow(/text "" stands for NULL/);
  });

  test("every problem of a row is found, each with its column and a reason that leaves the value out", async () => {
    const [n, value] = (await targetOf("timestamptz")) as [EncodedColumn, EncodedColumn];
    const problems = rowProblems([n, value], 1)([7n, "one", "soon"]);
    expect(problems.map(({ column, reason, value: given }) => [column, given, reason])).toEqual([
      ["n", "one", "is no integer"],
      ["value", "soon", "is no timestamptz"],
    ]);
    expect(rowProblems([n, value], 1)([7n, 1n, "2024-01-01"])).toEqual([]);
  });
});

/** Writes values with a rule and gives them back as PostgreSQL's own text. */
async function written(type: string, rule: Partial<EncodedColumn>, literals: string[]): Promise<string[]> {
  const encode = rowEncoder(await targetOf(type, rule), 0);
  const out = new CopyBuffer(16);
  for (const [n, literal] of literals.entries()) encode([BigInt(n), fromSqlite(literal)], out);
  const copy = new CopyRows(client, "one", ["n", "value"]);
  await copy.write(out.bytes.subarray(0, out.at));
  await copy.finish();
  return (await client.query("SELECT value::text FROM one ORDER BY n")).rows.map((row) => row.value);
}

const readings: [type: string, reading: Reading, cases: [sqlite: string, text: string][]][] = [
  [
    "timestamptz",
    epoch("s"),
    [
      ["1700000000", "2023-11-14 22:13:20+00"],
      ["'1700000000'", "2023-11-14 22:13:20+00"],
      ["-1", "1969-12-31 23:59:59+00"],
      ["0", "1970-01-01 00:00:00+00"],
      ["1700000000.25", "2023-11-14 22:13:20.25+00"],
      ["'1700000000.123456'", "2023-11-14 22:13:20.123456+00"],
      ["'1.7e9'", "2023-11-14 22:13:20+00"],
      ["'2024-01-02 03:04:05'", "2024-01-02 03:04:05+00"],
      ["'2024-01-02'", "2024-01-02 00:00:00+00"],
      ["9224318015999", "294276-12-31 23:59:59+00"],
      ["-210866803200", "4714-11-24 00:00:00+00 BC"],
    ],
  ],
  [
    "timestamp",
    epoch("ms"),
    [
      ["1700000000123", "2023-11-14 22:13:20.123"],
      ["1700000000123.4567", "2023-11-14 22:13:20.123457"],
      ["-62135596800001", "0001-12-31 23:59:59.999 BC"],
    ],
  ],
  [
    "timestamptz",
    epoch("us"),
    [
      ["1700000000123456", "2023-11-14 22:13:20.123456+00"],
      ["9007199254740993", "2255-06-05 23:47:34.740993+00"],
      ["9223372036854775807", "294247-01-10 04:00:54.775807+00"],
      ["1700000000123456.5", "2023-11-14 22:13:20.123457+00"],
    ],
  ],
  [
    "timestamptz",
    julianDay,
    [
      ["2440587.5", "1970-01-01 00:00:00+00"],
      ["2460310.5", "2024-01-01 00:00:00+00"],
      ["2460311", "2024-01-01 12:00:00+00"],
      ["julianday('2024-01-02 03:04:05.678')", "2024-01-02 03:04:05.678+00"],
      ["'2460310.5'", "2024-01-01 00:00:00+00"],
      ["0", "4714-11-24 12:00:00+00 BC"],
    ],
  ],
  [
    "date",
    epoch("s"),
    [
      ["1700006400", "2023-11-15"],
      ["-86400", "1969-12-31"],
      ["'2024-02-29'", "2024-02-29"],
      ["185331707078400 - 86400", "5874897-12-31"],
    ],
  ],
  ["date", julianDay, [["2460310.5", "2024-01-01"]]],
  ["timestamptz(3)", epoch("ms"), [["1700000000123", "2023-11-14 22:13:20.123+00"]]],
];

test.each(readings)("numbers in a %s by reading %o", async (type, reading, cases) => {
  const texts = await written(
    type,
    { reading },
    cases.map(([literal]) => literal),
  );
  expect(texts).toEqual(cases.map(([, text]) => text));
});

const unreadable: [type: string, reading: Reading, sqlite: string, reason: RegExp][] = [
  ["timestamptz", epoch("s"), "9224318016000", /outside the range of timestamptz/],
  ["timestamptz", epoch("s"), "-210866803201", /outside the range of timestamptz/],
  ["timestamptz", epoch("s"), "9223372036854775807", /outside the range of timestamptz/],
  ["timestamptz", epoch("s"), "1e300", /outside the range of timestamptz/],
  ["timestamptz", epoch("s"), "9e999", /real Infinity is no timestamptz/],
  ["timestamptz", epoch("s"), "'Infinity'", /is no timestamptz/],
  ["timestamptz", epoch("s"), "'soon'", /is no timestamptz/],
  ["timestamptz", epoch("s"), "''", /declare empty: "null"/],
  ["timestamptz", epoch("s"), "x'00'", /is no timestamptz/],
  ["timestamptz(3)", epoch("us"), "1700000000123456", /more than 3 decimals of a second/],
  ["date", epoch("s"), "1700000000", /has a time of day/],
  ["date", epoch("s"), "185331707078400", /outside the range of date/],
  ["date", julianDay, "2460311", /has a time of day/],
  ["timestamptz", julianDay, "1e9", /outside the range of timestamptz/],
];

test.each(unreadable)("%s by reading %o refuses %s", async (type, reading, literal, reason) => {
  const encode = rowEncoder(await targetOf(type, { reading }), 0);
  expect(() => encode([1n, fromSqlite(literal)], new CopyBuffer(16))).toThrow(ValueProblem);
  expect(() => encode([1n, fromSqlite(literal)], new CopyBuffer(16))).toThrow(reason);
});

test.each([
  "integer",
  "double precision",
  "boolean",
  "numeric",
  "date",
  "timestamptz",
  "uuid",
  "jsonb",
  "bytea",
])("an empty text becomes NULL in a %s where the loader says so", async (type) => {
  expect(await written(type, { emptyIsNull: true }, ["''", "NULL"])).toEqual([null, null]);
});

test("an empty text stays one in a text column, whatever the loader says", async () => {
  expect(await written("text", { emptyIsNull: true }, ["''", "NULL"])).toEqual(["", null]);
});

test("doubles of every size survive numeric as their shortest decimal", async () => {
  const encode = rowEncoder(await targetOf("numeric"), 0);
  const out = new CopyBuffer(16);
  const values = Array.from(
    { length: 400 },
    (_, i) => (i % 2 ? -1 : 1) * (1 + i / 7) * 10 ** ((i % 60) - 30),
  );
  for (const [n, value] of values.entries()) encode([BigInt(n), value], out);
  const copy = new CopyRows(client, "one", ["n", "value"]);
  await copy.write(out.bytes.subarray(0, out.at));
  await copy.finish();
  const { rows } = await client.query("SELECT value::text FROM one ORDER BY n");
  expect(rows.map((row) => Number(row.value))).toEqual(values);
});

test("instants of every century agree with PostgreSQL's own reading", async () => {
  const encode = rowEncoder(await targetOf("timestamptz"), 0);
  const out = new CopyBuffer(16);
  const texts = Array.from({ length: 500 }, (_, i) => {
    const at = new Date(Date.parse("0001-01-01T00:00:00Z") + i * 6.3e11 + i * 86_399_917).toISOString();
    return at.slice(0, [10, 19, 23, 24][i % 4]).replace("T", i % 3 ? " " : "T");
  });
  for (const [n, text] of texts.entries()) encode([BigInt(n), text], out);
  const copy = new CopyRows(client, "one", ["n", "value"]);
  await copy.write(out.bytes.subarray(0, out.at));
  await copy.finish();
  const { rows } = await client.query(
    "SELECT t FROM unnest($1::text[]) WITH ORDINALITY AS u(t, i) JOIN one ON n = i - 1 WHERE value <> t::timestamptz",
    [texts],
  );
  expect(rows).toEqual([]);
  expect(await client.query("SELECT FROM one")).toMatchObject({ rowCount: 500 });
});
