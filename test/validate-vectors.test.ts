import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { epoch, julianDay, type Reading } from "../loaders/define-loader.ts";
import type { ResolvedColumn, ResolvedTable } from "../loaders/resolve-table.ts";
import { openSource, type Source } from "../loaders/source/open-source.ts";
import { findSourceTable, readSourceSchema, type SourceSchema } from "../loaders/source/source-schema.ts";
import { readTargetTable, type TargetType } from "../loaders/target-table.ts";
import { planPages } from "../loaders/validate/page-plan.ts";
import { PageRows } from "../loaders/validate/page-rows.ts";
import { DoubtfulText, QueryRows } from "../loaders/validate/query-rows.ts";
import type { RowBytes } from "../loaders/validate/row-bytes.ts";
import type { RowSink } from "../loaders/validate/row-sink.ts";
import { ServerCast } from "../loaders/validate/server-cast.ts";
import type { SourceRows } from "../loaders/validate/source-rows.ts";
import { PageSource } from "../loaders/validate/sqlite-file/page-source.ts";
import { readTarget } from "../loaders/validate/target-rows.ts";
import { UnfitRows } from "../loaders/validate/unfit-rows.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

interface Vector {
  type: string;
  declared: string;
  /** An expression in SQLite; `—` for a value that it cannot hold. */
  source: string;
  /** An expression in PostgreSQL. */
  target: string;
  bytes: string;
}

const document = readFileSync(new URL("../docs/validation.md", import.meta.url), "utf8");
const vectors: Vector[] = [
  ...tableUnder("| type | source | target | bytes |").map(
    ([type = "", source = "", target = "", bytes = ""]) => {
      return { type, declared: "—", source, target, bytes };
    },
  ),
  ...tableUnder("| type | declared | source | target | bytes |").map(
    ([type = "", declared = "", source = "", target = "", bytes = ""]) => {
      return { type, declared, source, target, bytes };
    },
  ),
].map((vector) => ({ ...vector, bytes: vector.bytes === "(empty)" ? "" : vector.bytes }));
const misfits = tableUnder("| type | declared | source |").map(([type = "", declared = "", source = ""]) => {
  return { type, declared, source };
});
const fits = vectors.filter(({ source }) => source !== "—");

const folder = mkdtempSync(join(tmpdir(), "timelift-vectors-"));
const path = join(folder, "vectors.db");
let database: TestDatabase;
let client: pg.Client;
let source: Source;
let schema: SourceSchema;
let file: PageSource;

beforeAll(async () => {
  const made = new Database(path);
  // Without a declared type, a column keeps the class of what is written.
  for (const [index, vector] of [...fits, ...misfits].entries()) {
    made.exec(`CREATE TABLE v${index} (v); INSERT INTO v${index} VALUES (${vector.source})`);
  }
  made.close();
  source = openSource(path);
  schema = readSourceSchema(source);
  file = new PageSource(path);
  database = await databaseFromTemplate("validate_vectors");
  client = new pg.Client({ ...database.owner });
  await client.connect();
  await client.query("SET TimeZone = 'UTC'");
}, 120_000);

afterAll(async () => {
  source?.close();
  file?.[Symbol.dispose]();
  await client?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

test("the document holds vectors of every type, of every declaration, and many misfits", () => {
  const types = new Set(vectors.map(({ type }) => type.replace(/\(.*/, "")));
  expect([...types].sort()).toEqual(Object.keys(senders).sort());
  const declared = new Set(vectors.map((vector) => vector.declared));
  expect([...declared].sort()).toEqual(["—", ...Object.keys(declarations)].sort());
  expect(misfits.length).toBeGreaterThan(60);
});

test.each(vectors)(
  "PostgreSQL sends $target as $type in the bytes $bytes",
  async ({ type, target, bytes }) => {
    const send = senders[type.replace(/\(.*/, "")];
    const { rows } = await client.query(`SELECT encode(${send}((${target})::${type}), 'hex') AS sent`);
    const sent: string | null = rows[0].sent;
    // A numeric without a declared scale is compared by value: its display scale, the fourth word, is left out.
    const unscaled = type === "numeric" && sent !== null ? `${sent.slice(0, 12)}0000${sent.slice(16)}` : sent;
    expect(unscaled ?? "NULL").toBe(bytes);
    const sink = new Fields();
    const from = `(SELECT (${target})::${type} AS v) AS vector`;
    await readTarget(client, ["v"], [await targetType(type)], from, false, sink);
    expect(sink.fields).toEqual([bytes]);
  },
);

test.each(fits.map((vector, index) => ({ ...vector, index })))(
  "$type $declared: both ways of reading $source give $bytes",
  async (vector) => {
    const table = await resolved(vector.index, vector);
    for (const rows of readers(table)) expect(await fieldsOf(rows, table)).toEqual([vector.bytes]);
  },
);

test.each(misfits.map((misfit, index) => ({ ...misfit, index: fits.length + index })))(
  "$type $declared cannot hold $source, either way",
  async (misfit) => {
    const table = await resolved(misfit.index, misfit);
    for (const rows of readers(table)) expect(await fieldsOf(rows, table)).toEqual(["unfit"]);
  },
);

test("NULL does not fit a column that is NOT NULL", async () => {
  const index = fits.findIndex(({ source }) => source === "NULL");
  const table = await resolved(index, fits[index] as Vector);
  const strict = { ...table, columns: table.columns.map((column) => ({ ...column, nullable: false })) };
  for (const rows of readers(strict)) expect(await fieldsOf(rows, strict)).toEqual(["unfit"]);
});

const senders: Record<string, string> = {
  ...{ text: "textsend", varchar: "varcharsend", boolean: "boolsend", bytea: "byteasend", uuid: "uuid_send" },
  ...{ smallint: "int2send", integer: "int4send", bigint: "int8send", numeric: "numeric_send" },
  ...{ real: "float4send", "double precision": "float8send", json: "json_send", jsonb: "jsonb_send" },
  ...{ date: "date_send", timestamp: "timestamp_send", timestamptz: "timestamptz_send" },
};

const declarations: Record<string, { reading: Reading | null; emptyIsNull: boolean }> = {
  'epoch("s")': { reading: epoch("s"), emptyIsNull: false },
  'epoch("ms")': { reading: epoch("ms"), emptyIsNull: false },
  'epoch("us")': { reading: epoch("us"), emptyIsNull: false },
  julianDay: { reading: julianDay, emptyIsNull: false },
  'empty: "null"': { reading: null, emptyIsNull: true },
};

/** Keeps the only field of each row as hex digits. */
class Fields implements RowSink {
  readonly fields: string[] = [];

  add({ bytes, view, starts }: RowBytes): void {
    const [start = 0, end] = starts;
    this.fields.push(view.getInt32(start) < 0 ? "NULL" : bytes.toString("hex", start + 4, end));
  }
}

async function resolved(
  index: number,
  { type, declared }: { type: string; declared: string },
): Promise<ResolvedTable> {
  const declaration = declarations[declared] ?? { reading: null, emptyIsNull: false };
  const column: ResolvedColumn = {
    ...{ source: "v", expression: '"v"', target: "v", type: await targetType(type), typeText: type },
    ...{ nullable: true, lookup: null, ...declaration },
  };
  return { target: "v", source: findSourceTable(schema, `v${index}`), columns: [column], where: null };
}

/** All ways to read the table: jsonb goes through SQLite's library only. */
function readers(table: ResolvedTable): SourceRows[] {
  const cast = new ServerCast(client);
  const castAll = async (texts: string[]) => {
    const written = await cast.jsonb(texts);
    return texts.map((text) => written.get(text) ?? null);
  };
  const plan = planPages(table, source, file);
  if (!plan && table.columns[0]?.type.kind !== "jsonb") throw new Error("the pages should be read");
  return [
    new QueryRows(table, source, castAll, true),
    ...(plan ? [new PageRows(table, plan, source, file)] : []),
  ];
}

async function fieldsOf(rows: SourceRows, table: ResolvedTable): Promise<string[]> {
  const sink = new Fields();
  const unfit = new UnfitRows(table.columns, [0]);
  await rows.each(sink, unfit, () => {});
  return [...sink.fields, ...Array.from({ length: unfit.report.rows }, () => "unfit")];
}

test("a text that may be broken is not taken as it is read", async () => {
  const index = fits.length + misfits.findIndex(({ source: text }) => text.startsWith("CAST("));
  const table = await resolved(index, { type: "text", declared: "—" });
  const doubtful = new QueryRows(table, source, async () => [], false);
  await expect(fieldsOf(doubtful, table)).rejects.toBeInstanceOf(DoubtfulText);
});

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
