import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { buildIotSource } from "./iot-source.ts";
import { LoadFixture } from "./load-fixture.ts";
import { loadSuggestion } from "./suggested-workload.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-inspect-workload-"));
let at: LoadFixture;
let tests = 0;

beforeEach(async () => {
  at = await LoadFixture.make(`suggested_${tests++}`);
  return () => at.remove();
});
beforeAll(() => buildSample(join(folder, "sample.db")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function validated(
  { loader, hypertables, load }: Awaited<ReturnType<typeof loadSuggestion>>,
  source: string,
) {
  const args = { workload: "suggested", loader, source, copyPath: at.copyPath, hypertables };
  return runValidation({ ...args, expectedFingerprint: load.fingerprint, target: at.database.readonly });
}

const constraints = (table: string) =>
  at.rows(`SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = '${table}'::regclass AND contype IN ('p', 'u', 'f') ORDER BY 1`);

test("what is suggested for stockula's sample loads and validates, with a hypertable, keys and indexes", async () => {
  const source = join(folder, "sample.db");
  const suggestion = await loadSuggestion(at, { source });
  expect(suggestion.hypertables).toContainEqual(
    expect.objectContaining({ table: "price_history", column: "date" }),
  );
  const report = await validated(suggestion, source);
  expect(report.checks.filter((check) => check.status === "FAIL")).toEqual([]);
  expect(report.rows).toBe(suggestion.load.rows);
  expect(await constraints("price_history")).toEqual([
    "FOREIGN KEY (symbol) REFERENCES stocks(symbol)",
    'PRIMARY KEY (symbol, date, "interval")',
  ]);
  expect(await constraints("strategy_presets")).toEqual([
    "FOREIGN KEY (strategy_id) REFERENCES strategies(id)",
    "PRIMARY KEY (id)",
    "UNIQUE (strategy_id, name)",
  ]);
  const indexes = await at.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'options_calls'");
  expect(indexes).toContain("options_calls_symbol_expiration_date_idx");
  // A key of the source that lacks the time is kept by a guard.
  await expect(
    at.rows(
      'INSERT INTO price_history (id, symbol, date, "interval") SELECT id, symbol, \'2030-01-01\', "interval" FROM price_history LIMIT 1',
    ),
  ).rejects.toMatchObject({ code: "23505" });
  // The sequence goes on after the rows.
  expect(
    await at.rows(
      "INSERT INTO strategies (name, class_name, module_path, is_active, created_at, updated_at) VALUES ('n', 'c', 'm', true, now(), now()) RETURNING id > 1",
    ),
  ).toEqual(["true"]);
});

test("keys that the target cannot hold are said, not made", async () => {
  at.write(`PRAGMA foreign_keys = off;
    CREATE TABLE parents (id TEXT PRIMARY KEY, note TEXT UNIQUE);
    INSERT INTO parents VALUES ('7f2c1d5e-0000-4000-8000-000000000001', 'x');
    CREATE TABLE empty_children (parent_id TEXT REFERENCES parents);
    CREATE TABLE orphans (parent_id TEXT REFERENCES parents);
    INSERT INTO orphans VALUES ('7f2c1d5e-0000-4000-8000-000000000002');
    CREATE TABLE circle_a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES circle_b);
    CREATE TABLE circle_b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES circle_a, me INTEGER REFERENCES circle_b);
    INSERT INTO circle_a VALUES (1, 1); INSERT INTO circle_b VALUES (1, 1, 1);
    CREATE TABLE keyless (k TEXT PRIMARY KEY, v INT); INSERT INTO keyless VALUES (NULL, 1), ('a', 2);
    CREATE TABLE long_key (k TEXT PRIMARY KEY); INSERT INTO long_key VALUES (hex(randomblob(3000)));
    CREATE INDEX by_note ON parents (note DESC); CREATE INDEX partial ON keyless (v) WHERE v > 1;`);
  const suggestion = await loadSuggestion(at, { source: at.source });
  const failed = (await validated(suggestion, at.source)).checks.filter((check) => check.status === "FAIL");
  expect(failed.map(({ name }) => name)).toEqual([
    "keyless primary key",
    "long_key primary key",
    'orphans parents in "parents"',
  ]);
  expect(await constraints("empty_children")).toEqual(["FOREIGN KEY (parent_id) REFERENCES parents(id)"]);
  expect(await constraints("orphans")).toEqual([]);
  expect(await constraints("circle_a")).toEqual([
    "FOREIGN KEY (b) REFERENCES circle_b(id)",
    "PRIMARY KEY (id)",
  ]);
  expect(await constraints("circle_b")).toHaveLength(3);
  expect(await constraints("keyless")).toEqual([]);
  expect(await constraints("long_key")).toEqual([]);
  const tables = suggestion.files["migrations/before-load/0001_tables.ts"];
  expect(tables).toContain("// foreign key (parent_id) to parents: 1 row refers to nothing");
  expect(tables).toContain("// primary key: k holds NULLs, which SQLite lets pass");
  expect(tables).toContain("// primary key (k): a value is too long for an index of PostgreSQL");
  expect(tables).toContain("// index partial: it covers an expression or some rows only");
});

test("a default is of the type that the column has in the end", async () => {
  at.write(`CREATE TABLE parents (id TEXT PRIMARY KEY); INSERT INTO parents VALUES ('7f2c1d5e-0000-4000-8000-000000000001');
    CREATE TABLE children (parent_id TEXT DEFAULT 'none' REFERENCES parents);
    CREATE TABLE days (day DATE NOT NULL DEFAULT CURRENT_DATE, v REAL);
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
    INSERT INTO days SELECT date('2020-01-01', i || ' days'), i FROM n;`);
  const { files, hypertables } = await loadSuggestion(at, { source: at.source });
  expect(hypertables).toEqual([{ table: "days", column: "day", interval: "1 year" }]);
  const tables = files["migrations/before-load/0001_tables.ts"];
  expect(tables).toContain("// parent_id: no equal for default 'none'");
  expect(tables).toContain(`day: "timestamptz not null default date_trunc('day', now(), 'UTC')"`);
  expect(await at.rows("INSERT INTO days (v) VALUES (1) RETURNING extract(hour FROM day)")).toEqual(["0"]);
});

test("a table of many moments in epoch milliseconds becomes a hypertable by them", async () => {
  const source = new Database(at.source);
  source.exec(
    "CREATE TABLE ticks (id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, ts DATETIME NOT NULL, v REAL)",
  );
  source.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
    INSERT INTO ticks SELECT NULL, 's' || i % 7, 1704067200000 + i * 60000, i / 3.0 FROM n`);
  source.close();
  const suggestion = await loadSuggestion(at, { source: at.source });
  expect(suggestion.files["loader.ts"]).toContain('ts: { read: epoch("ms") },');
  expect(suggestion.hypertables).toEqual([{ table: "ticks", column: "ts", interval: "1 year" }]);
  expect(await at.rows("SELECT min(ts)::text, max(ts)::text FROM ticks")).toEqual([
    "2024-01-01 00:00:00+00 2024-01-04 11:19:00+00",
  ]);
  expect(await constraints("ticks")).toEqual(["PRIMARY KEY (id, ts)"]);
});

test("a key without the time of its hypertable is kept by a guard", async () => {
  buildIotSource(at.source, { days: 1, devices: 1 });
  const suggestion = await loadSuggestion(at, { source: at.source });
  expect(suggestion.files["migrations/after-load/0001_keys.ts"]).toContain(
    'db.guard("readings", { unique: ["message_id"], time: "ts" });',
  );
  expect(await constraints("readings")).toContain("PRIMARY KEY (site, device, metric, ts)");
  const again = (message: string) =>
    at.rows(
      `INSERT INTO readings SELECT site, device, metric, ts + interval '1 year', value, ${message} FROM readings LIMIT 1`,
    );
  await expect(again("message_id")).rejects.toMatchObject({ code: "23505" });
  await again("'new'");
});

test("a guard that can have no name of its own stays a note", async () => {
  const long = "a_name_of_more_than_forty_one_bytes_in_all";
  const tables = { s: "a_b", s_a: "b", t: long };
  const sql = Object.entries(tables).map(
    ([table, key]) => `CREATE TABLE ${table} (${key} TEXT NOT NULL UNIQUE, ts DATETIME NOT NULL);
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
      INSERT INTO ${table} SELECT 'x' || i, date('2020-01-01', i || ' days') FROM n;`,
  );
  at.write(sql.join("\n"));
  const { files, hypertables } = await loadSuggestion(at, { source: at.source });
  expect(hypertables).toHaveLength(3);
  expect(await at.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'timelift_guard'")).toEqual([
    "s_a_b",
  ]);
  const notes = files["migrations/before-load/0001_tables.ts"];
  const note = (key: string, why: string) =>
    `// unique (${key}): a key of a hypertable includes its time column; ${why}`;
  expect(notes).toContain(note("b", "another guard is called s_a_b"));
  expect(notes).toContain(note(long, "the name is too long for a guard"));
});
