import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTargetTable, type TargetType } from "../loaders/target-table.ts";
import {
  isUnfit,
  jsonSource,
  nullField,
  sourceForm,
  targetForm,
  unfitField,
} from "../loaders/validate/canonical-form.ts";
import { ServerCast } from "../loaders/validate/server-cast.ts";
import type { SourceValue } from "../loaders/validate/source-value.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

const document = readFileSync(new URL("../docs/validation.md", import.meta.url), "utf8");
const vectors = tableUnder("| type | source | target | field |");
const misfits = tableUnder("| type | source |");
const source = new Database(":memory:").defaultSafeIntegers();
let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await databaseFromTemplate("validate_vectors");
  client = new pg.Client({ ...database.owner });
  await client.connect();
  await client.query("SET TimeZone = 'UTC'");
}, 120_000);

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

test("the document holds vectors of every type", () => {
  const types = new Set(vectors.map(([type = ""]) => type.replace(/\(.*/, "")));
  expect([...types].sort()).toEqual(
    "bigint boolean bytea date double precision integer json jsonb numeric real smallint text timestamp timestamptz uuid varchar"
      .replace("double precision", "double_precision")
      .split(" ")
      .map((type) => type.replace("_", " ")),
  );
  expect(misfits.length).toBeGreaterThan(30);
});

test.each(vectors)("%s: %s and %s are %s", async (type, sqlite, postgres, field) => {
  const expected = field === "(empty)" ? "" : field;
  const target = await targetType(type ?? "");
  const { rows } = await client.query(
    `SELECT ${targetForm("v", target)} AS field FROM (SELECT (${postgres})::${type} AS v) AS value`,
  );
  expect(rows[0].field).toBe(expected);
  if (sqlite !== "—") expect(await sourceField(sqlite ?? "", target)).toBe(expected);
});

test.each(misfits)("%s cannot hold %s", async (type, sqlite) => {
  expect(isUnfit(await sourceField(sqlite ?? "", await targetType(type ?? "")))).toBe(true);
});

async function sourceField(sqlite: string, type: TargetType): Promise<string> {
  const value = source.prepare(`SELECT ${sqlite}`).pluck().get() as SourceValue;
  if (value === null) return nullField;
  if (type.kind !== "jsonb") return sourceForm(type)(value);
  const text = jsonSource(value) ?? "";
  const cast = (await new ServerCast(client).jsonb([text])).get(text);
  return cast === undefined ? unfitField(value) : sourceForm(type)(cast);
}

const types = new Map<string, TargetType>();

async function targetType(text: string): Promise<TargetType> {
  const known = types.get(text);
  if (known) return known;
  await client.query("DROP TABLE IF EXISTS vector");
  await client.query(`CREATE TABLE vector (v ${text})`);
  const type = (await readTargetTable(client, "vector")).columns[0]?.type;
  if (!type) throw new Error(`${text} is no type of a target`);
  types.set(text, type);
  return type;
}

/** Rows of the markdown table with that header: cells without their backticks. */
function tableUnder(header: string): string[][] {
  const lines = document.split("\n");
  const start = lines.indexOf(header) + 2;
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith("|"));
  return lines.slice(start, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`([\s\S]*)`$/, "$1")),
  );
}
