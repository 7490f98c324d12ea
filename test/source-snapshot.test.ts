import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";
import { readFingerprint } from "../loaders/source/fingerprint.ts";
import { openSource } from "../loaders/source/open-source.ts";
import { openSnapshot } from "../loaders/source/snapshot.ts";
import { LiveWriter } from "./live-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-snapshot-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, sql: string): void {
  const source = new Database(path);
  source.exec(sql);
  source.close();
}

const rows = (count: number) =>
  `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
   INSERT INTO t (pair, text) SELECT i, printf('row %d %s', i, hex(randomblob(60))) FROM n`;
const table = "CREATE TABLE t (id INTEGER PRIMARY KEY, pair INTEGER, text TEXT)";

describe.each(["DELETE", "WAL"])("journal mode %s", (mode) => {
  const of = (name: string) => join(folder, `${mode}-${name}`);

  test("the fingerprint moves with every write, and only then", () => {
    const path = of("fingerprint.db");
    write(path, `PRAGMA journal_mode = ${mode}; ${table}; ${rows(10)}`);
    const first = readFingerprint(path);
    expect(readFingerprint(path)).toBe(first);
    openSource(path).close();
    expect(readFingerprint(path)).toBe(first);
    const seen = new Set([first]);
    for (const sql of [
      "UPDATE t SET text = 'other' WHERE id = 5",
      "UPDATE t SET text = 'OTHER' WHERE id = 5",
      "DELETE FROM t WHERE id = 5",
      "INSERT INTO t (id) VALUES (5)",
      "CREATE TABLE u (a)",
    ]) {
      write(path, sql);
      seen.add(readFingerprint(path));
    }
    expect(seen.size).toBe(6);
  });

  test("two files built alike differ when a row does", () => {
    const [a, b] = ["one", "two"].map((text) => {
      const path = of(`${text}.db`);
      write(path, `PRAGMA journal_mode = ${mode}; ${table}; INSERT INTO t (text) VALUES ('${text}')`);
      return readFingerprint(path);
    });
    expect(a).not.toBe(b);
  });

  test("the fingerprint sees a commit of a connection that stays open", async () => {
    const path = of("open.db");
    write(path, `PRAGMA journal_mode = ${mode}; ${table}`);
    const before = readFingerprint(path);
    const writer = await LiveWriter.start(path, rows(1));
    const after = readFingerprint(path);
    await writer.stop();
    expect(after).not.toBe(before);
  });

  test("a copy is private, complete, and reused until the source changes", async () => {
    const path = of("app.db");
    const copy = of("state/copy.db");
    write(path, `PRAGMA journal_mode = ${mode}; ${table}; ${rows(1000)}`);
    const first = await openSnapshot(path, copy);
    expect(first).toMatchObject({ path: copy, reused: false, fingerprint: readFingerprint(path) });
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(await openSnapshot(path, copy)).toMatchObject({ reused: true, fingerprint: first.fingerprint });
    write(path, "UPDATE t SET text = 'changed' WHERE id = 7");
    expect((await openSnapshot(path, copy)).reused).toBe(false);
    const opened = openSource(copy, { check: true });
    expect(opened.prepare("SELECT text FROM t WHERE id = 7").pluck().get()).toBe("changed");
    opened.close();
    expect(readdirSync(of("state"))).toEqual(["copy.db", "copy.db.json"]);
  });

  test("a writer that writes all the time is never locked out, and the copy is one state", async () => {
    const path = of("live.db");
    write(path, `PRAGMA journal_mode = ${mode}; ${table}; ${rows(100_000)}; CREATE TABLE log (n)`);
    const writer = await LiveWriter.start(
      path,
      "",
      // Both in one transaction: a copy that holds one without the other is torn.
      "BEGIN IMMEDIATE; UPDATE t SET pair = pair + 1 WHERE id IN (1, 99999); INSERT INTO log VALUES (1); COMMIT",
      { everyMs: 20, waitMs: 1000 },
    );
    const snapshot = await openSnapshot(path, of("state/live.db"));
    const written = await writer.stop();
    expect(written.errors).toEqual([]);
    expect(written.wrote).toBeGreaterThan(0);
    const copy = openSource(snapshot.path, { check: true });
    const [a, b] = copy
      .prepare("SELECT pair FROM t WHERE id IN (1, 99999) ORDER BY id")
      .pluck()
      .all() as bigint[];
    const logged = copy.prepare("SELECT count(*) FROM log").pluck().get();
    copy.close();
    expect(b).toBe((a ?? 0n) + 99998n);
    expect(logged).toBe((a ?? 0n) - 1n);
    expect(snapshot.longestLockMs).toBeLessThan(1000);
  });

  test("what a killed writer left behind is recovered in the copy; the source stays as it was", async () => {
    const path = of("killed.db");
    write(path, `PRAGMA journal_mode = ${mode}; ${table}; ${rows(2000)}`);
    // A small cache spills pages of the open transaction into the file, so the rollback journal is hot.
    const writer = await LiveWriter.start(
      path,
      "PRAGMA cache_size = 2; BEGIN; UPDATE t SET text = 'lost' || text WHERE id <= 1000",
    );
    await writer.kill();
    const before = readdirSync(folder).filter((name) => name.startsWith(`${mode}-killed`));
    const snapshot = await openSnapshot(path, of("state/killed.db"));
    const copy = openSource(snapshot.path, { check: true });
    expect(copy.prepare("SELECT count(*), sum(text LIKE 'lost%') FROM t").raw().get()).toEqual([2000n, 0n]);
    copy.close();
    expect(readdirSync(folder).filter((name) => name.startsWith(`${mode}-killed`))).toEqual(before);
  });
});

test("what a killed copy left behind is removed by the next", async () => {
  const path = join(folder, "left.db");
  write(path, table);
  const inside = join(folder, "left");
  mkdirSync(inside);
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  for (const name of [`copy.db.${dead}-0123abcd.tmp`, `copy.db.${process.pid}-0123abcd.tmp`, "other.db"]) {
    writeFileSync(join(inside, name), "");
  }
  await openSnapshot(path, join(inside, "copy.db"));
  expect(readdirSync(inside)).toEqual(
    ["copy.db", `copy.db.${process.pid}-0123abcd.tmp`, "copy.db.json", "other.db"].sort(),
  );
});

test("a copy that can never be made in time says: WAL, or pause the writer", async () => {
  const path = join(folder, "busy.db");
  write(path, `${table}; ${rows(200_000)}`);
  const writer = await LiveWriter.start(path, "", "UPDATE t SET pair = pair + 1 WHERE id = 1", {
    everyMs: 25,
  });
  try {
    const snapshot = openSnapshot(path, join(folder, "state", "busy.db"), { restarts: 2, stepMs: 0.5 });
    await expect(snapshot).rejects.toMatchObject({ code: "source-busy" });
    await expect(snapshot).rejects.toThrow(/journal_mode=WAL/);
  } finally {
    expect((await writer.stop()).errors).toEqual([]);
  }
}, 30_000);
