import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runExport } from "../loaders/export/run-export.ts";
import { fileRows } from "./file-rows.ts";
import { LoadFixture } from "./load-fixture.ts";

const rows = 60_000;
const loader = { tables: { lines: {} } };
let at: LoadFixture;

beforeAll(async () => {
  at = await LoadFixture.make("export_kill");
  await at.fresh(
    `CREATE TABLE lines (id INTEGER PRIMARY KEY, text TEXT);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
     INSERT INTO lines SELECT i, printf('%0200d', i) FROM n`,
    "CREATE TABLE lines (id bigint PRIMARY KEY, text text)",
  );
  await at.load(loader);
});
afterAll(() => at?.remove());

/** Exports in a process of its own, and tells it to stop when rows are written. */
async function stopped(file: string, signal: "SIGKILL" | "SIGTERM") {
  const script = `
    import { text } from "node:stream/consumers";
    import { runExport } from "./loaders/export/run-export.ts";
    const abort = new AbortController();
    process.once("SIGTERM", () => abort.abort(new Error("SIGTERM")));
    await runExport({
      ...JSON.parse(await text(process.stdin)),
      signal: abort.signal,
      events: ({ kind, rows }) => kind === "rows" && rows === 20000 && process.kill(process.pid, "${signal}"),
    });`;
  const args = { workload: at.args(loader).workload, loader, file, target: at.database.readonly };
  return execa(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: join(import.meta.dirname, ".."),
    input: JSON.stringify(args),
    reject: false,
  });
}

test("an export that is killed leaves no file of that name, and the next one is whole", async () => {
  const file = join(at.folder, "killed.db");
  expect((await stopped(file, "SIGKILL")).signal).toBe("SIGKILL");
  expect(existsSync(file)).toBe(false);
  expect(readFileSync(`${file}.part`).length).toBeGreaterThan(0);
  const { workload } = at.args(loader);
  const report = await runExport({ workload, loader, file, target: at.database.readonly });
  expect(report).toMatchObject({ rows, validation: { status: "PASS" } });
  expect(fileRows(file)).toEqual(fileRows(at.source));
  expect(existsSync(`${file}.part`)).toBe(false);
});

test("an export that is asked to stop leaves nothing", async () => {
  const file = join(at.folder, "stopped.db");
  const { exitCode, stderr } = await stopped(file, "SIGTERM");
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("SIGTERM")]);
  expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
});

test("a folder that is not there, and a file that another export writes, are said", async () => {
  const { workload } = at.args(loader);
  const args = { workload, loader, target: at.database.readonly };
  await expect(runExport({ ...args, file: join(at.folder, "none", "x.db") })).rejects.toMatchObject({
    code: "export-unwritable",
  });
  const file = join(at.folder, "twice.db");
  const other = new Database(`${file}.part`);
  other.exec("BEGIN EXCLUSIVE");
  await expect(runExport({ ...args, file })).rejects.toMatchObject({ code: "export-running" });
  expect(existsSync(`${file}.part`)).toBe(true);
  other.close();
  expect((await runExport({ ...args, file })).rows).toBe(rows);
});
