import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileRows } from "./file-rows.ts";
import { StackCopy } from "./stack-copy.ts";

const loader = `export default { tables: { prices: {} } };`;
const tables = `
  db.table("prices", { symbol: "text not null", day: "date not null", close: "double precision" });
  db.keys("prices", { primary: ["symbol", "day"] });`;

let at: StackCopy;
beforeAll(async () => {
  at = await StackCopy.make({ loader, tables });
  const source = new Database(at.source);
  source.exec(`
    CREATE TABLE prices (symbol TEXT NOT NULL, day TEXT NOT NULL, close REAL, PRIMARY KEY (symbol, day));
    CREATE TABLE alembic_version (version TEXT);
    WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
      INSERT INTO prices SELECT 'S' || (i % 3), date('2020-01-01', '+' || (i / 3) || ' days'), i / 7.0 FROM n;`);
  source.close();
});
afterAll(() => at?.remove());

const file = (name: string) => join(at.project.dir, name);

test("before the first load nothing is known of the application's schema", async () => {
  const { exitCode, stderr } = await at.timelift("export", "early.db");
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/the target does not know the application's schema[\s\S]*--schema-from/);
  expect(existsSync(file("early.db"))).toBe(false);
});

test("writes the stack's rows, says PASS for every check, and overwrites nothing unasked", async () => {
  expect((await at.timelift("load")).exitCode).toBe(0);
  const { exitCode, stdout, stderr } = await at.timelift("export", "out.db");
  expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^prices: 3,000 rows, [\d,]+ rows\/s$/m)]);
  expect(stdout).toMatch(/^PASS prices checksum/m);
  expect(stdout).toMatch(/^PASS file integrity +ok$/m);
  expect(stdout).toContain("note: empty, for nothing is loaded from there: alembic_version");
  expect(stdout).toMatch(/\nout\.db: 3,000 rows in \d+\.\d s, [\d,]+ rows\/s$/);
  expect(stdout).not.toMatch(/^(FAIL|SKIP)/m);
  expect(fileRows(file("out.db"))).toEqual({ ...fileRows(at.source), alembic_version: [] });

  const again = await at.timelift("export", "out.db");
  expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("--force")]);
  expect((await at.timelift("export", "out.db", "--force", "--tables", "prices")).exitCode).toBe(0);
});

test("a file that cannot say what the target has does not get its name", async () => {
  await at.owner.query("INSERT INTO prices VALUES ('late', 'infinity', 1)");
  const { exitCode, stdout } = await at.timelift("export", "odd.db");
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^FAIL prices/m);
  expect(stdout).toContain("odd.db was not written; what differs from the target lies in odd.db.part");
  expect([existsSync(file("odd.db")), existsSync(file("odd.db.part"))]).toEqual([false, true]);
});
