import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { drop, type LoaderDefinition, lookup } from "../loaders/define-loader.ts";
import { type RunExportArgs, runExport } from "../loaders/export/run-export.ts";
import { fileRows, fileSchema } from "./file-rows.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
let file: string;
let count = 0;

beforeAll(async () => {
  at = await LoadFixture.make("export_shapes");
});
afterAll(() => at?.remove());
beforeEach(() => {
  count += 1;
  file = join(at.folder, `export ${count}.db`);
});

const exportOf = (loader: LoaderDefinition, more: Partial<RunExportArgs> = {}) =>
  runExport({ workload: at.args(loader).workload, loader, file, target: at.database.readonly, ...more });

function query(sql: string): unknown[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(sql).raw(true).all();
  } finally {
    database.close();
  }
}

test("all that makes the file the application's own: settings, triggers, views, generated columns, sequences", async () => {
  await at.fresh(
    `PRAGMA page_size = 8192; PRAGMA encoding = 'UTF-16le'; PRAGMA application_id = 77; PRAGMA user_version = 12;
     PRAGMA journal_mode = WAL;
     CREATE TABLE logged (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE, size AS (length(name)) STORED);
     CREATE TABLE log (what TEXT);
     CREATE TRIGGER note AFTER INSERT ON logged BEGIN INSERT INTO log VALUES (new.name); END;
     CREATE VIEW names AS SELECT name FROM logged;
     CREATE INDEX by_upper ON logged (upper(name)) WHERE name IS NOT NULL;
     INSERT INTO logged (name) VALUES ('é'), ('b'), ('c'); DELETE FROM logged WHERE id = 3; DELETE FROM log;
     CREATE TABLE strict (k TEXT PRIMARY KEY, n INTEGER, r REAL, b BLOB, a ANY) STRICT, WITHOUT ROWID;
     INSERT INTO strict VALUES ('z', 1, 2, x'00ff', 3), ('a', NULL, 0.1, x'', NULL)`,
    `CREATE TABLE logged (id bigint PRIMARY KEY, name text, size bigint);
     CREATE TABLE log (what text);
     CREATE TABLE strict (k text PRIMARY KEY, n bigint, r double precision, b bytea, a bigint)`,
  );
  const loader: LoaderDefinition = { tables: { logged: {}, log: {}, strict: {} } };
  await at.load(loader);
  const report = await exportOf(loader);
  expect(report.validation.status).toBe("PASS");
  expect(report.kept).toEqual([]);
  expect(fileSchema(file)).toEqual(fileSchema(at.source));
  expect(fileRows(file)).toEqual(fileRows(at.source));
  expect(query("SELECT name, seq FROM sqlite_sequence")).toEqual([["logged", 3]]);
});

test("two tables that divide a source table, a dropped column given back, a row that a constraint refuses", async () => {
  await at.fresh(
    `CREATE TABLE moves (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0), note TEXT DEFAULT 'none');
     INSERT INTO moves VALUES (1, 'in', 5, 'x'), (2, 'out', 6, NULL), (3, 'in', 7, 'y')`,
    `CREATE TABLE moves_in (id bigint PRIMARY KEY, amount bigint NOT NULL, note text);
     CREATE TABLE moves_out (id bigint PRIMARY KEY, amount bigint NOT NULL, note text)`,
  );
  const entry = (kind: string) => ({
    ...{
      from: "moves",
      where: `kind = '${kind}'`,
      columns: { kind: drop } as const,
      reverse: { kind: `'${kind}'` },
    },
  });
  const loader: LoaderDefinition = { tables: { moves_in: entry("in"), moves_out: entry("out") } };
  await at.load(loader);
  expect((await exportOf(loader)).validation.status).toBe("PASS");
  expect(fileRows(file)).toEqual(fileRows(at.source));

  await at.asLoader("INSERT INTO moves_in VALUES (4, -1, NULL); INSERT INTO moves_out VALUES (5, 1, 'z')");
  const report = await exportOf(loader, { force: true });
  expect(report.validation.status).toBe("PASS");
  expect(report.kept).toEqual([
    expect.objectContaining({ table: "moves_in", sidecar: "_timelift_refused_moves_in", rows: 1 }),
  ]);
  expect(query("SELECT * FROM moves WHERE id > 3")).toEqual([[5, "out", 1, "z"]]);
  expect(query("SELECT id, amount FROM _timelift_refused_moves_in")).toEqual([[4, -1]]);
});

test("a dropped column that must be given back, and a dropped id that others refer to, are named", async () => {
  await at.fresh(
    `CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, code TEXT NOT NULL);
     CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents (id));
     INSERT INTO parents VALUES (10, 'b', 'B'), (20, 'a', 'A'); INSERT INTO children VALUES (1, 20)`,
    `CREATE TABLE parents (name text PRIMARY KEY, code text);
     CREATE TABLE children (id bigint PRIMARY KEY, parent text NOT NULL)`,
  );
  const children = {
    columns: { parent: drop } as const,
    derive: { parent: lookup("parents", { id: "parent" }, "name") },
    reverse: {
      parent:
        "SELECT row_number FROM (SELECT name, row_number() OVER (ORDER BY name) FROM parents) p WHERE p.name = children.parent",
    },
  };
  const withId = (reverse: Record<string, string>): LoaderDefinition => ({
    tables: { parents: { columns: { id: drop }, reverse }, children },
  });
  await at.load(withId({}));
  await expect(exportOf(withId({}))).rejects.toMatchObject({ code: "reverse-id-referenced" });
  const numbered = "SELECT count(*) FROM parents p WHERE p.name <= parents.name";
  const report = await exportOf(withId({ id: numbered }));
  expect(report.validation.checks.filter(({ status }) => status === "FAIL")).toEqual([]);
  expect(query("SELECT id, name FROM parents ORDER BY 1")).toEqual([
    [1, "a"],
    [2, "b"],
  ]);
  expect(query("SELECT * FROM children")).toEqual([[1, 1]]);
  await expect(exportOf(withId({ ident: "1" }), { force: true })).rejects.toMatchObject({
    code: "reverse-column-missing",
  });
  await expect(exportOf(withId({ id: "nonsense" }), { force: true })).rejects.toMatchObject({
    code: "reverse-refused",
  });
});

test("a required column that the target dropped is asked for", async () => {
  await at.fresh(
    "CREATE TABLE things (id INTEGER PRIMARY KEY, made TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'plain'); INSERT INTO things VALUES (1, 'x', 'odd')",
    "CREATE TABLE things (id bigint PRIMARY KEY)",
  );
  const loader = (reverse: Record<string, string>): LoaderDefinition => ({
    tables: { things: { rest: drop, columns: { id: "id" }, reverse } },
  });
  await at.load(loader({}));
  await expect(exportOf(loader({}))).rejects.toMatchObject({
    code: "reverse-undeclared",
    subject: "source column things.made",
  });
  expect((await exportOf(loader({ made: "'now'" }))).validation.status).toBe("PASS");
  expect(query("SELECT * FROM things")).toEqual([[1, "now", "plain"]]);
});
