import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import { defineLoader } from "../loaders/define-loader.ts";
import { openSource } from "../loaders/source/open-source.ts";
import { scanSource } from "../loaders/source/scan-source.ts";
import { openSnapshot } from "../loaders/source/snapshot.ts";
import type { TimeliftError } from "../loaders/timelift-error.ts";
import { LiveWriter } from "./live-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-source-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sqliteFile(
  name: string,
  sql = "CREATE TABLE stocks (symbol TEXT); INSERT INTO stocks VALUES ('AAPL')",
) {
  const path = join(folder, name);
  const source = new Database(path);
  source.exec(sql);
  source.close();
  return path;
}

function errorOf(work: () => unknown): TimeliftError {
  try {
    work();
  } catch (error) {
    return error as TimeliftError;
  }
  throw new Error("it did not fail");
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const many =
  "CREATE TABLE t (a); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT randomblob(40) FROM n";

test.each([
  ["source-missing", () => join(folder, "nowhere.db"), /no such file/],
  ["source-missing", () => join(file("plain", "x"), "below.db"), /no such file/],
  ["source-directory", () => folder, /directory/],
  ["source-empty", () => file("empty.db", ""), /0 bytes/],
  ["source-empty", () => sqliteFile("bare.db", "PRAGMA user_version = 1"), /no table/],
  [
    "source-not-sqlite",
    () => file("dump.sql", "CREATE TABLE stocks (symbol TEXT);".repeat(100)),
    /header is missing/,
  ],
  ["source-encrypted", () => file("secret.db", randomBytes(8192)), /encrypted/],
  [
    "source-truncated",
    () => file("short.db", readFileSync(sqliteFile("long.db", many)).subarray(0, 100_000)),
    /truncated: its header counts \d+ pages of 4096 bytes, but only 100000/,
  ],
  [
    "source-corrupt",
    () => {
      const bytes = readFileSync(sqliteFile("sound.db", many));
      bytes.fill(0xee, 8192, 12288);
      return file("damaged.db", bytes);
    },
    /damaged/,
  ],
])("%s has an error of its own", (code, make, words) => {
  const path = make();
  const error = errorOf(() => openSource(path, { check: true }));
  expect(error).toMatchObject({ name: "TimeliftError", code, subject: path });
  expect(error.message).toMatch(words);
  expect(error.remedy).not.toBe("");
});

test("an unreadable file says so, and who may mend it", () => {
  const path = sqliteFile("private.db");
  chmodSync(path, 0o000);
  chmodSync(folder, 0o755);
  const script = `
    import { readSourceHeader } from ${JSON.stringify(new URL("../loaders/source/source-header.ts", import.meta.url).href)};
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    try { readSourceHeader(${JSON.stringify(path)}); } catch (error) { console.log(error.code, error.remedy); }`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(said).toMatch(/^source-unreadable .*chmod/);
});

test("the error of a copy names the source, not the copy", async () => {
  const path = sqliteFile("hollow.db", "PRAGMA user_version = 1");
  await expect(openSnapshot(path, join(folder, "state", "hollow.db"))).rejects.toMatchObject({
    code: "source-empty",
    subject: path,
  });
});

test("a missing table or column names what exists instead, and the nearest", async () => {
  const source = sqliteFile("names.db", "CREATE TABLE price_histories (id INTEGER PRIMARY KEY, date DATE)");
  const copyPath = join(folder, "state", "names.db");
  const missingTable = scanSource({
    source,
    copyPath,
    loader: defineLoader({ tables: { price_history: {} } }),
  });
  await expect(missingTable).rejects.toMatchObject({ code: "source-table-missing" });
  await expect(missingTable).rejects.toThrow(
    /source table price_history.*It has: price_histories.*Did you mean "price_histories"/,
  );

  const loader = defineLoader({ tables: { prices: { from: "price_histories", columns: { dat: "time" } } } });
  const missingColumn = scanSource({ source, copyPath, loader });
  await expect(missingColumn).rejects.toMatchObject({ code: "source-column-missing" });
  await expect(missingColumn).rejects.toThrow(/price_histories\.dat.*only: id, date.*Did you mean "date"/);
});

test("a condition that SQLite refuses is shown", async () => {
  const loader = defineLoader({ tables: { stocks: { where: "symbl = 'AAPL'" } } });
  const scan = scanSource({
    source: sqliteFile("where.db"),
    copyPath: join(folder, "state", "where.db"),
    loader,
  });
  await expect(scan).rejects.toMatchObject({ code: "source-condition" });
  await expect(scan).rejects.toThrow(/no such column: symbl/);
});

test("a writer that keeps the file locked is waited for, but not for ever", async () => {
  const path = sqliteFile("locked.db");
  const writer = await LiveWriter.start(path, "BEGIN EXCLUSIVE; INSERT INTO stocks VALUES ('MSFT')");
  try {
    const snapshot = openSnapshot(path, join(folder, "state", "locked.db"), { lockWaitMs: 300 });
    await expect(snapshot).rejects.toMatchObject({ code: "source-locked", subject: path });
    await expect(snapshot).rejects.toThrow(/WAL mode/);
  } finally {
    await writer.stop();
  }
  const made = await openSnapshot(path, join(folder, "state", "locked.db"));
  expect(made.reused).toBe(false);
});

test("a folder that cannot be written is no obstacle to a WAL file, and nothing is left in it", async () => {
  const inside = join(folder, "sealed");
  mkdirSync(inside);
  const path = sqliteFile(
    "sealed/app.db",
    "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)",
  );
  chmodSync(inside, 0o555);
  const snapshot = await openSnapshot(path, join(folder, "state", "sealed.db"));
  expect(openSource(snapshot.path).prepare("SELECT a FROM t").pluck().all()).toEqual([1n]);
  expect(execFileSync("ls", [inside], { encoding: "utf8" })).toBe("app.db\n");
  chmodSync(inside, 0o755);
});
