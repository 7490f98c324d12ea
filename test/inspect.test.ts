import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDeclaredType } from "../loaders/inspect/declared-type.ts";
import { inspectSource } from "../loaders/inspect/inspect-source.ts";
import { renderInspection } from "../loaders/inspect/render-inspection.ts";
import { buildHorrors } from "./horrors.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-inspect-test-"));
const project = join(import.meta.dirname, "..");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
/** Writes a source with SQL. */
function sourceOf(sql: string): string {
  const path = join(folder, `${files++}.db`);
  const source = new Database(path);
  source.exec(sql);
  source.close();
  return path;
}

function inspectSql(sql: string, options: Parameters<typeof inspectSource>[1] = {}) {
  return inspectSource(sourceOf(sql), options);
}

function onlyColumn(sql: string) {
  const column = inspectSql(sql).tables[0]?.columns.at(-1);
  if (column === undefined) throw new Error("nothing was inspected");
  return column;
}

describe("counts", () => {
  test("are of every row, by class, with least, greatest and longest", () => {
    const column = onlyColumn(
      "CREATE TABLE t (v); INSERT INTO t VALUES (1), (2.5), ('long text'), (x'0102'), (NULL), (-7)",
    );
    expect(column.counts).toEqual({
      ...{ null: 1, integer: 2, real: 1, text: 1, blob: 1, longest: 9 },
      ...{ min: -7n, max: Buffer.from([1, 2]) },
    });
  });

  test("of a large table are of every row; its forms are of rows spread evenly over it, and it says so", () => {
    const rows = (withRowid: string) => `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT) ${withRowid};
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO t SELECT i, CASE WHEN i > 10000 THEN '{"n":1}' ELSE 'plain' END FROM n`;
    for (const kind of ["", "WITHOUT ROWID"]) {
      const inspection = inspectSql(rows(kind), { sampleRows: 1000 });
      const [table] = inspection.tables;
      expect(table).toMatchObject({ rows: 20_000, rowsRead: 1000 });
      const v = table?.columns[1];
      expect(v?.counts?.text).toBe(20_000);
      const { text = 0, JSON: json = 0 } = v?.found.forms ?? {};
      expect([text + json, Math.abs(text - json) <= 2]).toEqual([1000, true]);
      expect(renderInspection(inspection).join("\n").replace(/\s+/g, " ")).toContain(
        "forms from 1,000 rows spread evenly",
      );
      expect(inspectSql(rows(kind), { sampleRows: Infinity }).tables[0]?.columns[1]?.found.forms).toEqual({
        ...{ text: 10_000, JSON: 10_000 },
      });
    }
  });
});

describe("what misleads", () => {
  test("numbers that the suggested unit would put into another age are counted and shown", () => {
    const column = onlyColumn(`CREATE TABLE t (created DATETIME);
      INSERT INTO t VALUES (1647950409737), (1647950409738), (1647950410), (0)`);
    expect(column.suggestion).toMatchObject({ type: "timestamptz", unit: "ms" });
    expect(column.warnings).toEqual([
      "2 numbers are no moment from 1980 to 2100 in this unit: 1647950410 (rowid 3) becomes 1970-01-20 01:45:50",
    ]);
  });

  test("seven decimals of a second are named before the load rejects them", () => {
    const column = onlyColumn(
      "CREATE TABLE t (at TEXT); INSERT INTO t VALUES ('2024-01-31 10:00:00.1234567')",
    );
    expect(column.unfit).toMatchObject({
      count: 1,
      row: "rowid 1",
      reason: expect.stringContaining("6 decimals"),
    });
  });

  test("prices and volumes are no moments, though they lie among them", () => {
    const integers = "CREATE TABLE t (volume INTEGER); INSERT INTO t VALUES (1647950409), (1647950410)";
    expect(onlyColumn(integers).suggestion).toMatchObject({ type: "bigint", unit: null });
    const named = integers.replaceAll("volume", "created_at");
    expect(onlyColumn(named).suggestion).toMatchObject({ type: "timestamptz", unit: "s" });
  });

  test("digits alone prove no number: they may be a code with zeros in front", () => {
    expect(
      onlyColumn("CREATE TABLE t (zip); INSERT INTO t VALUES ('00501'), ('10001')").suggestion.type,
    ).toBe("text");
  });

  test("rows that refer to nothing, and NULL in a primary key", () => {
    const inspection =
      inspectSql(`PRAGMA foreign_keys = off; CREATE TABLE p (k TEXT PRIMARY KEY); INSERT INTO p VALUES ('a'), (NULL);
      CREATE TABLE c (k TEXT REFERENCES p); INSERT INTO c VALUES ('a'), ('b'), ('c')`);
    const text = renderInspection(inspection).join("\n");
    expect(text).toContain("c.k: 2 rows refer to nothing in p");
    expect(text).toContain("p.k: 1 row has NULL in the primary key");
  });
});

test("a declared type is read whatever its words", () => {
  const families = (words: string[]) => words.map((word) => readDeclaredType(word).family);
  expect(families(["signed long", "UNSIGNED BIG INT", "tinyint(1)", "INT UNSIGNED"])).toEqual(
    Array(4).fill("integer"),
  );
  expect(families(["double precision", "FLOATING POINT", "REAL"])).toEqual(Array(3).fill("float"));
  expect(families(["NVARCHAR(70)", "TEXT collate NOCASE", "text(100)", "TEXT_LIST", "time"])).toEqual(
    Array(5).fill("text"),
  );
  expect(families(["timestamp with time zone", "DATETIME", "timestampz"])).toEqual(
    Array(3).fill("timestamp"),
  );
  expect(families(["byte[]", "LONGBLOB"])).toEqual(Array(2).fill("blob"));
  expect(families(["POINT", "geometry", ""])).toEqual(Array(3).fill("unknown"));
  expect(readDeclaredType("DECIMAL (10, 2)")).toEqual({ family: "numeric", arguments: [10, 2] });
});

describe("it survives", () => {
  test("names of every kind, empty tables, tables without columns to show", () => {
    const inspection =
      inspectSql(`CREATE TABLE "select" ("group" INT, "" TEXT, "a""b" REAL, [c d] BLOB, "\n" TEXT);
      CREATE TABLE "日本" ("é" TEXT); INSERT INTO "日本" VALUES ('😀'); CREATE TABLE empty (x)`);
    expect(inspection.tables.map((table) => [table.name, table.rows])).toEqual([
      ["empty", 0],
      ["select", 0],
      ["日本", 1],
    ]);
    for (const line of renderInspection(inspection)) expect(line).not.toMatch(/\p{Cc}/u);
  });

  test("2,000 columns", () => {
    const names = Array.from({ length: 2000 }, (_, i) => `c${i}`);
    const inspection = inspectSql(
      `CREATE TABLE wide (${names.join(", ")}); INSERT INTO wide (c0, c1999) VALUES (1, 'last')`,
    );
    const columns = inspection.tables[0]?.columns;
    expect(columns).toHaveLength(2000);
    expect(columns?.[1999]).toMatchObject({ counts: { text: 1, null: 0 }, found: { forms: { text: 1 } } });
  });

  test("one column that cannot be computed among others", () => {
    const [table] = inspectSql(`CREATE TABLE t (a INT, j TEXT); INSERT INTO t VALUES (5, 'no json');
      ALTER TABLE t ADD COLUMN x AS (json_extract(j, '$.x'))`).tables;
    expect(table?.columns.map((column) => column.error)).toEqual([null, null, "malformed JSON"]);
    expect(table?.columns[0]?.counts?.integer).toBe(1);
  });

  test.each(["UTF-16le", "UTF-16be"])("%s, with half a surrogate pair", (encoding) => {
    const inspection = inspectSql(`PRAGMA encoding = '${encoding}'; CREATE TABLE t (v TEXT);
      INSERT INTO t VALUES ('é€😀'), (CAST(${encoding === "UTF-16le" ? "x'3dd8'" : "x'd83d'"} AS TEXT))`);
    expect(inspection.encoding).toBe(encoding);
    expect(inspection.tables[0]?.columns[0]?.found.forms).toEqual({ text: 1, "invalid text": 1 });
  });
});

describe("timelift inspect", () => {
  const run = (...args: string[]) =>
    execa(process.execPath, ["cli/main.ts", "inspect", ...args], {
      ...{ cwd: project, reject: false, env: { TMPDIR: folder } },
    });
  const horrors = join(folder, "horrors.db");
  beforeAll(() => buildHorrors(horrors));

  test("prints at most 100 columns, writes nothing to the source and leaves nothing behind", async () => {
    const before = readFileSync(horrors);
    const names = readdirSync(folder);
    const { stdout, exitCode, stderr } = await run(horrors);
    expect([exitCode, stderr]).toEqual([0, ""]);
    const lines = stdout.split("\n");
    expect(lines.filter((line) => [...line].length > 100)).toEqual([]);
    expect(lines.slice(0, 4)).toEqual([
      expect.stringMatching(/^horrors\.db: 33 tables, 2 views, \d+ rows, \d+ kB$/),
      "",
      "needs attention",
      "  broken_view: cannot be read: no such table: main.gone",
    ]);
    expect(readFileSync(horrors)).toEqual(before);
    expect(readdirSync(folder)).toEqual(names);
  });

  test("gives everything as JSON, big integers exact", async () => {
    const { stdout } = await run(horrors, "--json", "--table", "BIG_INTEGER");
    const { tables, findings } = JSON.parse(stdout);
    expect(tables).toHaveLength(1);
    expect(tables[0]).toMatchObject({ name: "big_integer", rows: 3 });
    expect(tables[0].columns[1].counts).toMatchObject({
      max: "9223372036854775807",
      min: "-9223372036854775808",
    });
    expect(findings).toEqual([]);
  });

  test("writes a workload into a folder, and never over one", async () => {
    const target = join(folder, "workload");
    expect((await run(horrors, "--write", target)).exitCode).toBe(0);
    expect(readFileSync(join(target, "loader.ts"), "utf8")).toContain('value: { read: epoch("ms") },');
    const again = await run(horrors, "--write", target);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("the file is there already");
  });

  test("names a file that is empty, damaged or none, and a table that is not there", async () => {
    const empty = join(folder, "empty.db");
    writeFileSync(empty, "");
    expect((await run(empty)).stderr).toContain("the file is empty (0 bytes)");
    const cut = sourceOf("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(20000))");
    truncateSync(cut, 8192);
    expect((await run(cut)).stderr).toContain("the file is truncated");
    expect((await run(join(folder, "none.db"))).stderr).toContain("no such file");
    const { stderr } = await run(horrors, "--table", "epoch_sm");
    expect(stderr).toContain("the source has no such table or view");
    expect(readdirSync(folder).filter((name) => name.startsWith("timelift-inspect-"))).toEqual([]);
  });
});
