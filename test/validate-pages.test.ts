import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import type { ResolvedColumn, ResolvedTable } from "../loaders/resolve-table.ts";
import { openReadOnly } from "../loaders/source/open-source.ts";
import { findSourceTable, readSourceSchema } from "../loaders/source/source-schema.ts";
import type { TargetType } from "../loaders/target-table.ts";
import { planPages } from "../loaders/validate/page-plan.ts";
import { PageRows } from "../loaders/validate/page-rows.ts";
import { QueryRows } from "../loaders/validate/query-rows.ts";
import type { RowBytes } from "../loaders/validate/row-bytes.ts";
import type { RowSink } from "../loaders/validate/row-sink.ts";
import { PageSource } from "../loaders/validate/sqlite-file/page-source.ts";
import { UnfitRows } from "../loaders/validate/unfit-rows.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** Runs SQL on a new file and returns its path. */
function make(sql: string): string {
  files += 1;
  const path = join(folder, `${files}.db`);
  new Database(path).exec(sql).close();
  return path;
}

/** Every column to text, or whatever a test says; all of them may be NULL. */
function columnsFor(path: string, table: string, kinds: Record<string, TargetType>): ResolvedTable {
  const source = openReadOnly(path, 0);
  const found = findSourceTable(readSourceSchema(source), table);
  source.close();
  const columns = found.columns.map(({ name }): ResolvedColumn => {
    const type = kinds[name] ?? { kind: "text", length: null };
    const expression = `"${name.replaceAll('"', '""')}"`;
    return {
      ...{ source: name, expression, target: name, type, typeText: type.kind },
      ...{ nullable: true, lookup: null, reading: null, emptyIsNull: false },
    };
  });
  return { target: table, source: found, columns, where: null };
}

/** The rows of one way of reading: canonical bytes, and what a person is shown; the unfit ones as such. */
class Seen implements RowSink {
  readonly rows: string[] = [];

  add({ bytes, starts }: RowBytes, origin: { texts(): (string | null)[] }): void {
    this.rows.push(`${bytes.toString("hex", 0, starts.at(-1))} ${JSON.stringify(origin.texts())}`);
  }
}

interface BothWays {
  pages: string[];
  queries: string[];
  /** Rows that did not fit, with their reasons. */
  unfit: string;
}

async function readBothWays(
  path: string,
  table: string,
  kinds: Record<string, TargetType> = {},
): Promise<BothWays> {
  const resolved = columnsFor(path, table, kinds);
  const source = openReadOnly(path, 0);
  using file = new PageSource(path);
  const plan = planPages(resolved, source, file);
  if (!plan) throw new Error("the pages should be read");
  const answers = [];
  for (const rows of [
    new PageRows(resolved, plan, source, file),
    new QueryRows(resolved, source, async () => [], true),
  ]) {
    const sink = new Seen();
    const unfit = new UnfitRows(resolved.columns, [0]);
    const read = await rows.each(sink, unfit, () => {});
    expect(read).toBe(sink.rows.length + unfit.report.rows);
    const { rows: count, values } = unfit.report;
    answers.push({ rows: sink.rows.sort(), unfit: JSON.stringify({ count, values }) });
  }
  source.close();
  const [pages, queries] = answers as [{ rows: string[]; unfit: string }, { rows: string[]; unfit: string }];
  expect(pages.unfit).toBe(queries.unfit);
  return { pages: pages.rows, queries: queries.rows, unfit: pages.unfit };
}

/** Reads a table both ways and expects the same, with so many rows. */
async function expectSame(path: string, table: string, rows: number, kinds: Record<string, TargetType> = {}) {
  const { pages, queries, unfit } = await readBothWays(path, table, kinds);
  expect(pages).toEqual(queries);
  expect(pages.length + JSON.parse(unfit).count).toBe(rows);
  return { pages, unfit: JSON.parse(unfit) as { count: number; values: number[] } };
}

const int8: TargetType = { kind: "int8" };
const float8: TargetType = { kind: "float8" };
const bytea: TargetType = { kind: "bytea" };

test("integers of every length", async () => {
  const values = [
    0, 1, 2, -1, 127, -128, 128, -129, 32767, -32768, 32768, 8388607, -8388608, 8388608, -8388609,
  ]
    .map(BigInt)
    .concat([
      2n ** 31n - 1n,
      -(2n ** 31n),
      2n ** 31n,
      2n ** 47n - 1n,
      -(2n ** 47n),
      2n ** 47n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ]);
  const path = make(
    `CREATE TABLE t (v); INSERT INTO t VALUES ${values.map((value) => `(${value})`).join(", ")}`,
  );
  const { pages, unfit } = await expectSame(path, "t", values.length, { v: int8 });
  expect(unfit.count).toBe(0);
  expect(new Set(pages).size).toBe(values.length);
  await expectSame(path, "t", values.length, { v: float8 });
  await expectSame(path, "t", values.length, { v: { kind: "int2" } });
  await expectSame(path, "t", values.length, { v: { kind: "int4" } });
  await expectSame(path, "t", values.length, { v: { kind: "numeric", precision: null, scale: null } });
});

test("a column of affinity REAL holds reals, also where SQLite stores whole numbers as integers", async () => {
  const path = make(`CREATE TABLE t (a REAL, b FLOAT, c "DOUBLE PRECISION", d NUMERIC, e "FLOATING POINT");
    INSERT INTO t VALUES (5, 5, 5, 5, 5), (-0.0, 1e15, 9007199254740993, 2.5, 0.1), (1e300, 3, NULL, 'x', 7)`);
  const all = (type: TargetType) => ({ a: type, b: type, c: type, d: type, e: type });
  for (const type of [float8, int8, { kind: "text", length: null }, { kind: "json" }] as TargetType[]) {
    await expectSame(path, "t", 3, all(type));
  }
});

test("texts and blobs that overflow, at every length around a page's borders", async () => {
  const lengths = [...Array(40).keys()]
    .flatMap((n) => [n, 440 + n, 470 + n, 900 + n, 4000 + n, 8100 + n])
    .concat(300_000);
  for (const pageSize of [512, 4096]) {
    const path = make(`PRAGMA page_size = ${pageSize}; CREATE TABLE t (id INTEGER PRIMARY KEY, v, w)`);
    const database = new Database(path);
    const insert = database.prepare("INSERT INTO t (v, w) VALUES (?, ?)");
    database.transaction(() => {
      for (const length of lengths) insert.run("x".repeat(length), Buffer.alloc(length % 700, length));
    })();
    database.close();
    await expectSame(path, "t", lengths.length, { id: int8, w: bytea });
  }
});

test.each([512, 1024, 8192, 65_536])("pages of %i bytes, and trees of several levels", async (pageSize) => {
  const path = make(`PRAGMA page_size = ${pageSize}; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO t SELECT i * 7919 % 20011, 'row ' || i FROM n`);
  await expectSame(path, "t", 20_000, { id: int8 });
});

test("an auto-vacuumed file, deleted rows, free pages and rows that were made longer", async () => {
  const path =
    make(`PRAGMA auto_vacuum = FULL; CREATE TABLE gone (v); CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    INSERT INTO gone SELECT zeroblob(500000);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO t SELECT i, hex(zeroblob(i % 90)) FROM n;
    DELETE FROM t WHERE id % 3 = 0; DROP TABLE gone;
    UPDATE t SET v = hex(zeroblob(2000)) WHERE id % 50 = 1`);
  await expectSame(path, "t", 3334, { id: int8 });
});

test("rowids beyond every border, negative ones too, and other names of the rowid", async () => {
  const ids = [
    "-9223372036854775808",
    "-4294967297",
    "-1",
    "0",
    "1",
    "127",
    "128",
    "16384",
    "4294967296",
    "9223372036854775807",
  ];
  const rows = ids.map((id) => `(${id}, 'x')`).join(", ");
  const path = make(`CREATE TABLE plain (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO plain VALUES ${rows};
    CREATE TABLE last (v TEXT, id integer, CONSTRAINT k PRIMARY KEY (id)); INSERT INTO last (id, v) VALUES ${rows};
    CREATE TABLE down (id INTEGER PRIMARY KEY DESC, v TEXT); INSERT INTO down VALUES ${rows}, (NULL, 'no alias');
    CREATE TABLE short (id INT PRIMARY KEY, v TEXT); INSERT INTO short VALUES ${rows}, (NULL, 'no alias')`);
  await expectSame(path, "plain", 10, { id: int8 });
  await expectSame(path, "last", 10, { id: int8 });
  await expectSame(path, "down", 11, { id: int8 });
  await expectSame(path, "short", 11, { id: int8 });
  await expectSame(path, "plain", 10, { id: { kind: "int4" } });
});

test("columns that were added later hold their default in older rows", async () => {
  const path = make(`CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'old');
    ALTER TABLE t ADD COLUMN c INTEGER DEFAULT '7'; ALTER TABLE t ADD COLUMN d REAL DEFAULT 3;
    INSERT INTO t (a, b) VALUES (2, 'newer');
    ALTER TABLE t ADD COLUMN e TEXT DEFAULT 'it''s'; ALTER TABLE t ADD COLUMN f; ALTER TABLE t ADD COLUMN g BLOB DEFAULT x'00ff';
    INSERT INTO t VALUES (3, 'newest', 1, 2, 'e', NULL, x'01')`);
  const { pages } = await expectSame(path, "t", 3, { a: int8, c: int8, d: float8, g: bytea });
  expect(pages.join()).toContain(`["1","old","7","3","it's",null,"\\\\x00ff"]`);
});

test("a column that was dropped, stored generated columns, odd names, a STRICT table", async () => {
  const path =
    make(`CREATE TABLE "Odd ""name" ("a|b" TEXT, "select" INTEGER, rowid TEXT, s TEXT AS ("a|b" || '!') STORED);
    INSERT INTO "Odd ""name" VALUES ('x', 1, 'hidden'), ('é☃🚀', NULL, '');
    CREATE TABLE dropped (a TEXT, b TEXT, c INTEGER); INSERT INTO dropped VALUES ('1', '2', 3);
    ALTER TABLE dropped DROP COLUMN b; INSERT INTO dropped VALUES ('4', 5);
    CREATE TABLE strict (a INT, b REAL, c ANY, d BLOB) STRICT; INSERT INTO strict VALUES (1, 2, 3, x'04'), (1, 2, '3', NULL)`);
  await expectSame(path, 'Odd "name', 2, { select: int8 });
  await expectSame(path, "dropped", 2, { c: int8 });
  await expectSame(path, "strict", 2, { a: int8, b: float8, d: bytea });
});

test("empty tables, and bytes that are no text", async () => {
  const path = make(
    "CREATE TABLE empty (v); CREATE TABLE t (v); INSERT INTO t VALUES (CAST(x'ff' AS TEXT)), ('a' || char(0)), ('ok')",
  );
  await expectSame(path, "empty", 0);
  const { unfit } = await expectSame(path, "t", 3);
  expect(unfit.count).toBe(2);
});

test("reserved bytes at the end of every page", async () => {
  const path = make("PRAGMA page_size = 1024; VACUUM");
  // An empty file: its only page holds nothing, and its content begins where the usable bytes end.
  const bytes = readFileSync(path);
  bytes[20] = 32;
  bytes.writeUInt16BE(1024 - 32, 105);
  writeFileSync(path, bytes);
  const database = new Database(path);
  database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    INSERT INTO t SELECT i, hex(zeroblob(i * 3)) FROM n`);
  database.close();
  using file = new PageSource(path);
  expect(file.usable).toBe(992);
  await expectSame(path, "t", 500, { id: int8 });
});

test("numbers around a half of the last digit, at every scale", async () => {
  const random = seeded(99);
  const path = make("CREATE TABLE t (v)");
  const database = new Database(path);
  const insert = database.prepare("INSERT INTO t VALUES (?)");
  database.transaction(() => {
    for (let row = 0; row < 4000; row += 1) {
      const digits = Math.floor(random() * 10 ** (1 + (row % 9)));
      const places = Math.floor(random() * 7);
      const sign = row % 3 === 0 ? -1 : 1;
      insert.run(Number(`${sign * digits}.${"0".repeat(places)}5${row % 5 === 0 ? "0000001" : ""}`));
      insert.run(sign * random() * 10 ** (row % 12));
      insert.run(Math.fround(random() * 1000));
      insert.run(BigInt(sign * digits));
    }
  })();
  database.close();
  for (const scale of [0, 1, 2, 3, 4, 5, 6, 8, 9]) {
    const resolved = columnsFor(path, "t", { v: { kind: "numeric", precision: 16, scale } });
    expect(await sameColumn(path, resolved)).toBe(16_000);
  }
});

test("random rows of every class in every kind of column", async () => {
  const random = seeded(20_251_121);
  const declared = ["", "INTEGER", "REAL", "TEXT", "NUMERIC", "BLOB"];
  const names = declared.map((_type, at) => `c${at}`);
  const path = make(
    `PRAGMA page_size = 1024; CREATE TABLE t (${names.map((name, at) => `${name} ${declared[at]}`).join(", ")})`,
  );
  const database = new Database(path);
  const insert = database.prepare(`INSERT INTO t VALUES (${names.map(() => "?").join(", ")})`);
  database.transaction(() => {
    for (let row = 0; row < 700; row += 1) insert.run(...names.map(() => randomValue(random)));
  })();
  database.exec("DELETE FROM t WHERE rowid % 7 = 0");
  database.close();
  const types: TargetType[] = [
    { kind: "text", length: null },
    { kind: "text", length: 5 },
    ...(["bool", "int2", "int4", "int8", "float4", "float8", "date", "uuid", "json", "bytea"] as const).map(
      (kind) => ({ kind }),
    ),
    { kind: "numeric", precision: 12, scale: 3 },
    { kind: "numeric", precision: 5, scale: 0 },
    { kind: "numeric", precision: 20, scale: 6 },
    { kind: "numeric", precision: 12, scale: 9 },
    { kind: "numeric", precision: null, scale: null },
    { kind: "timestamp", digits: 6 },
    { kind: "timestamptz", digits: 3 },
  ];
  for (const type of types) {
    for (const name of names) {
      const only = Object.fromEntries(
        names.map((each): [string, TargetType] => [each, each === name ? type : { kind: "bytea" }]),
      );
      const resolved = columnsFor(path, "t", only);
      resolved.columns = resolved.columns.filter((column) => column.source === name);
      expect(await sameColumn(path, resolved)).toBe(600);
    }
  }
}, 60_000);

async function sameColumn(path: string, resolved: ResolvedTable): Promise<number> {
  const source = openReadOnly(path, 0);
  using file = new PageSource(path);
  const plan = planPages(resolved, source, file);
  if (!plan) throw new Error("the pages should be read");
  const ways = [
    new PageRows(resolved, plan, source, file),
    new QueryRows(resolved, source, async () => [], true),
  ];
  const seen: string[] = [];
  let read = 0;
  for (const way of ways) {
    const sink = new Seen();
    const unfit = new UnfitRows(resolved.columns, [0]);
    read = await way.each(sink, unfit, () => {});
    seen.push(JSON.stringify([sink.rows.sort(), unfit.report.rows, way.rounding]));
  }
  source.close();
  expect(seen[0]).toBe(seen[1]);
  return read;
}

/** A generator of numbers from 0 up to 1 that gives the same ones every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomValue(random: () => number): unknown {
  const below = (limit: number) => Math.floor(random() * limit);
  const moment = () =>
    `${1900 + below(300)}-${String(1 + below(13)).padStart(2, "0")}-${String(1 + below(31)).padStart(2, "0")}`;
  const choices: (() => unknown)[] = [
    () => null,
    () => BigInt(below(3)),
    () => BigInt(below(2 ** 31)) - 2n ** 30n,
    () => BigInt.asIntN(64, (BigInt(below(2 ** 32)) << 32n) + BigInt(below(2 ** 32))),
    () => random() * 1000,
    () => Math.fround(random() * 1000),
    () => below(100) - 50,
    () => -0,
    () => String(below(1000)),
    () => `${below(100)}.${below(100)}`,
    () =>
      ["true", "off", "NaN", "inf", "", " ", "null", "[1]", "{}", "a\0b", "é☃🚀", "e".repeat(below(3000))][
        below(12)
      ],
    moment,
    () => `${moment()} ${String(below(25)).padStart(2, "0")}:00:${String(below(61)).padStart(2, "0")}`,
    () => `${moment()}T10:20:30.${below(10_000_000)}${["", "Z", "+02", "-05:30"][below(4)]}`,
    () => Buffer.from(Array.from({ length: below(40) }, () => below(256))),
    () => "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".replaceAll(below(2) === 0 ? "-" : "none", ""),
  ];
  return (choices[below(choices.length)] as () => unknown)();
}

test("a damaged file is an error that says so, wherever it is damaged, and reading always ends", async () => {
  const path = make(`PRAGMA page_size = 512; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    INSERT INTO t SELECT i, hex(zeroblob(i % 400)) FROM n`);
  const whole = readFileSync(path);
  const resolved = columnsFor(path, "t", { id: int8 });
  const source = openReadOnly(path, 0);
  using planned = new PageSource(path);
  const plan = planPages(resolved, source, planned);
  if (!plan) throw new Error("the pages should be read");
  const random = seeded(7);
  const outcomes = { damaged: 0, read: 0 };
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const broken = Buffer.from(whole);
    const page = 1 + Math.floor(random() * (broken.length / 512 - 1));
    for (let byte = 0; byte < 6; byte += 1)
      broken[page * 512 + Math.floor(random() * 20)] = Math.floor(random() * 256);
    const copy = join(folder, "broken.db");
    writeFileSync(copy, broken);
    using file = new PageSource(copy);
    const rows = new PageRows(resolved, plan, source, file);
    try {
      await rows.each(new Seen(), new UnfitRows(resolved.columns, [0]), () => {});
      outcomes.read += 1;
    } catch (error) {
      expect(error).toMatchObject({ name: "TimeliftError", code: "source-corrupt" });
      outcomes.damaged += 1;
    }
  }
  source.close();
  expect(outcomes.damaged).toBeGreaterThan(100);
});

test("a file that was cut off is an error", async () => {
  const path = make(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
    INSERT INTO t SELECT i, 'row ' || i FROM n`);
  const resolved = columnsFor(path, "t", { id: int8 });
  const source = openReadOnly(path, 0);
  using whole = new PageSource(path);
  const plan = planPages(resolved, source, whole);
  if (!plan) throw new Error("the pages should be read");
  const short = join(folder, "short.db");
  copyFileSync(path, short);
  writeFileSync(short, readFileSync(path).subarray(0, statSync(path).size / 2));
  using file = new PageSource(short);
  const rows = new PageRows(resolved, plan, source, file);
  const reading = rows.each(new Seen(), new UnfitRows(resolved.columns, [0]), () => {});
  await expect(reading).rejects.toMatchObject({ code: "source-corrupt" });
  source.close();
});

test("what the pages do not tell is left to SQLite's library", async () => {
  const wide = make(
    "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('é☃🚀'), ('')",
  );
  const path = make(`CREATE TABLE t (v TEXT); CREATE VIEW seen AS SELECT v FROM t;
    CREATE TABLE keyed (v TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE virtual (a TEXT, v TEXT AS (a || '!'));
    CREATE VIRTUAL TABLE search USING fts5(v)`);
  const isPlanned = (file: string, table: string, change: Partial<ResolvedTable> = {}) => {
    const source = openReadOnly(file, 0);
    using pages = new PageSource(file);
    const plan = planPages({ ...columnsFor(file, table, {}), ...change }, source, pages);
    source.close();
    return plan !== undefined;
  };
  expect(isPlanned(path, "t")).toBe(true);
  expect(isPlanned(path, "t", { where: "v > ''" })).toBe(false);
  for (const table of ["seen", "keyed", "virtual", "search"]) expect(isPlanned(path, table)).toBe(false);
  expect(isPlanned(wide, "t")).toBe(false);
  const source = openReadOnly(wide, 0);
  const resolved = columnsFor(wide, "t", {});
  const sink = new Seen();
  await new QueryRows(resolved, source, async () => [], true).each(
    sink,
    new UnfitRows(resolved.columns, [0]),
    () => {},
  );
  source.close();
  expect(sink.rows).toEqual([
    `${(9).toString(16).padStart(8, "0")}${Buffer.from("é☃🚀").toString("hex")} ["é☃🚀"]`,
    '00000000 [""]',
  ]);
});
