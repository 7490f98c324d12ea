import Database from "better-sqlite3";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { CopyRows } from "../loaders/copy-rows.ts";
import { CopyBuffer } from "../loaders/encode/copy-buffer.ts";
import { rowEncoder } from "../loaders/encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../loaders/encode/value-problem.ts";
import { readTargetTable } from "../loaders/target-table.ts";
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
  ],
  smallint: [["-32768"], ["32767"], ["7.0", "7"]],
  integer: [["-2147483648"], ["2147483647"], ["0"]],
  bigint: [["9223372036854775807"], ["-9223372036854775808"], ["9007199254740993"], ["-4.0", "-4"]],
  real: [["0.5"], ["-1.25"], ["16777216", "1.6777216e+07"]],
  "double precision": [
    ["129.94000244140625"],
    ["0.1"],
    ["-0.0", "-0"],
    ["9e999", "Infinity"],
    ["-9e999", "-Infinity"],
    ["5e-324", "5e-324"],
    ["1.7976931348623157e308", "1.7976931348623157e+308"],
    ["9007199254740992", "9.007199254740992e+15"],
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
  ["boolean", "'true'", /is no boolean/],
  ["smallint", "32768", /outside the range of smallint/],
  ["integer", "2147483648", /outside the range of integer/],
  ["bigint", "1.5", /real 1.5 is no exact bigint/],
  ["bigint", "'12'", /text "12" is no bigint/],
  ["real", "0.1", /no exact single-precision/],
  ["double precision", "9007199254740993", /more digits than double precision holds/],
  ["double precision", "'1.5'", /is no double precision/],
  ["numeric", "'1,5'", /is no numeric/],
  ["numeric(20,6)", "'0.0000005'", /more than 6 decimals/],
  ["numeric(20,6)", "1e14", /too large for numeric\(20,6\)/],
  ["numeric(20,6)", "9e999", /finite/],
  ["date", "'2023-02-29'", /is no date/],
  ["date", "'2024-01-02 00:00:01'", /time of day/],
  ["date", "'2024-01-02T00:00:00Z'", /names a zone/],
  ["date", "'2024-01-02T01:00+01:00'", /names a zone/],
  ["timestamptz", "1700000000000", /does not say its unit/],
  ["timestamptz", "'01/02/2024'", /is no timestamptz/],
  ["timestamptz", "'2024-01-02 24:00:00'", /is no timestamptz/],
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

async function targetOf(type: string) {
  await client.query(`DROP TABLE IF EXISTS one; CREATE TABLE one (n int NOT NULL, value ${type})`);
  const [n, value] = (await readTargetTable(client, "one")).columns;
  if (!n?.type || !value?.type) throw new Error(`${type} was not understood`);
  return [
    { target: n.name, type: n.type, nullable: n.nullable },
    { target: value.name, type: value.type, nullable: value.nullable },
  ];
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
    const encode = rowEncoder([{ target: "n", type: { kind: "int4" }, nullable: false }], 0);
    expect(() => encode([null], new CopyBuffer(16))).toThrow(/NOT NULL/);
  });
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
