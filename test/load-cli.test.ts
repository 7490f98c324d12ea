import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readLoadStatus } from "../loaders/load-status.ts";
import { StackCopy } from "./stack-copy.ts";

const rows = (count: number) => `
  CREATE TABLE stocks (symbol TEXT PRIMARY KEY, name TEXT);
  CREATE TABLE prices (id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, date TEXT NOT NULL, close REAL);
  CREATE TABLE signals (id INTEGER PRIMARY KEY, ticker TEXT NOT NULL, seen INTEGER NOT NULL);
  CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT);
  INSERT INTO stocks VALUES ('AAPL', 'Apple'), ('MSFT', 'Microsoft'), ('O''X,Y', 'a quote and a comma'), ('7', 'a number');
  WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
    INSERT INTO prices (symbol, date, close)
    SELECT CASE i % 4 WHEN 0 THEN 'AAPL' WHEN 1 THEN 'MSFT' WHEN 2 THEN 'O''X,Y' ELSE '7' END,
           date('2023-10-01', '+' || (i % 400) || ' days'), i / 3.0 FROM n;
  INSERT INTO signals (ticker, seen) SELECT symbol, unixepoch(date) * 1000 FROM prices WHERE id <= 400;
  INSERT INTO notes (note) VALUES ('one'), ('two');`;

const loader = `export default { tables: {
  stocks: {},
  prices: { order: ["symbol", "time"], columns: { date: "time" } },
  signals: { columns: { ticker: "symbol", seen: { to: "time", read: { kind: "epoch", unit: "ms" } } } },
  notes: {},
} };`;
const month = `{ time: "time", chunk: { amount: 1, unit: "month" } }`;
const tables = `
  db.table("stocks", { symbol: "text not null", name: "text" });
  db.table("prices", { id: "bigint not null", symbol: "text not null", time: "timestamptz not null", close: "double precision" });
  db.hypertable("prices", ${month});
  db.table("signals", { id: "bigint not null", symbol: "text not null", time: "timestamptz not null" });
  db.hypertable("signals", ${month});
  db.table("notes", { id: "bigint not null", note: "text" });
  for (const [table, columns] of [["stocks", ["symbol"]], ["prices", ["id", "time"]], ["signals", ["id", "time"]], ["notes", ["id"]]]) {
    db.keys(table, { primary: columns });
  }`;

let at: StackCopy;
beforeAll(async () => {
  at = await StackCopy.make({ loader, tables });
  write(at.source, rows(400));
  write(join(at.project.dir, "large.db"), rows(600_000));
});
afterAll(() => at?.remove());
beforeEach(() => at.empty(["stocks", "prices", "signals", "notes"]));

function write(path: string, sql: string): void {
  const source = new Database(path);
  source.exec(sql);
  source.close();
}

const counts = () =>
  at.rows(`SELECT (SELECT count(*) FROM stocks), (SELECT count(*) FROM prices), (SELECT count(*) FROM signals),
                  (SELECT count(*) FROM notes)`);
const contents = () =>
  at.rows(`SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (
    SELECT s::text AS t FROM stocks s UNION ALL SELECT p::text FROM prices p
    UNION ALL SELECT s::text FROM signals s UNION ALL SELECT n::text FROM notes n) all_rows`);

test("loads the stack's source, says what it did, and finds nothing to do the next time", async () => {
  const first = await at.timelift("load");
  expect(first).toMatchObject({ exitCode: 0, stderr: "" });
  expect(first.stdout).toMatch(/^prices: 400 rows inserted in/m);
  expect(first.stdout).toMatch(/\n806 rows in the target; 806 rows inserted in \d+\.\d s(, \d+ rows\/s)?$/);
  expect(await counts()).toEqual(["4 400 400 2"]);
  expect((await at.timelift("load")).stdout).toMatch(/^806 rows in the target; unchanged, \d+\.\d s$/);
});

test("--dry-run says what would happen and writes nothing", async () => {
  const fresh = await at.timelift("load", "--dry-run");
  expect(fresh.stdout.split("\n")).toEqual([
    "stocks   4 rows to load",
    "prices   400 rows to load",
    "signals  400 rows to load",
    "notes    2 rows to load",
  ]);
  expect(await at.rows("SELECT to_regclass('timelift.load_run')")).toEqual(["null"]);
  await at.timelift("load");
  write(at.source, "INSERT INTO notes VALUES (3, 'three'); UPDATE prices SET close = -1 WHERE id = 7");
  const before = await contents();
  const { stdout } = await at.timelift("load", "--dry-run", "--json");
  write(at.source, "DELETE FROM notes WHERE id = 3; UPDATE prices SET close = 2 WHERE id = 7");
  expect(JSON.parse(stdout)).toEqual({
    kind: "outlook",
    tables: [
      { table: "stocks", rows: 4, change: "unchanged" },
      { table: "prices", rows: 400, change: "1 of 1 part changed (same number of rows)" },
      { table: "signals", rows: 400, change: "unchanged" },
      { table: "notes", rows: 3, change: "+1 row" },
    ],
  });
  expect(await contents()).toEqual(before);
});

test("a load of some rows, then of all: nothing doubled, nothing lost", async () => {
  await at.timelift("load");
  const whole = await contents();
  await at.empty(["stocks", "prices", "signals", "notes"]);

  const some = await at.timelift("load", "--symbols", "AAPL,7", "--start-date", "2024-01-01");
  expect(some).toMatchObject({ exitCode: 0, stderr: "" });
  // Of 400 days from 2023-10-01 on, 92 are before the year; notes have neither symbol nor time.
  expect(await counts()).toEqual(["2 154 154 2"]);
  expect(await at.rows("SELECT min(time)::date::text FROM signals")).toEqual(["2024-01-01"]);
  expect((await at.timelift("load", "--symbols", "AAPL,7", "--start-date", "2024-01-01")).stdout).toMatch(
    /unchanged/,
  );

  const wider = await at.timelift("load", "--where-key", `symbol=AAPL,7,"O'X,Y"`);
  expect(wider).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await counts()).toEqual(["3 300 300 2"]);
  expect((await at.timelift("load")).stdout).toMatch(/806 rows in the target; 201 rows inserted/);
  expect(await contents()).toEqual(whole);
});

test("--tables leaves the other tables alone", async () => {
  expect((await at.timelift("load", "--tables", "stocks,notes")).stdout).toMatch(/6 rows in the target/);
  expect(await counts()).toEqual(["4 0 0 2"]);
});

test("a narrower load does not take rows out of the target, unless told to", async () => {
  await at.timelift("load");
  const refused = await at.timelift("load", "--symbols", "MSFT");
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(
    /target table stocks: to load by these options would take 3 rows out of the target.*remedy: Leave the options out/s,
  );
  expect(await counts()).toEqual(["4 400 400 2"]);
  expect(await at.timelift("load", "--symbols", "MSFT", "--force")).toMatchObject({ exitCode: 0 });
  expect(await counts()).toEqual(["1 100 100 2"]);
});

test("--force mends what changed in the target only", async () => {
  await at.timelift("load");
  const before = await contents();
  expect((await at.timelift("load", "--force", "--dry-run")).stdout).toMatch(
    /prices +400 rows; 400 rows to compare with the target/,
  );
  await at.owner.query("UPDATE prices SET close = -1 WHERE id = 7");
  expect((await at.timelift("load")).stdout).toMatch(/unchanged/);
  expect((await at.timelift("load", "--force")).stdout).toMatch(/806 rows in the target; 1 row updated/);
  expect(await contents()).toEqual(before);
});

test.each([
  [["--tables", "price"], /table price: .*Did you mean "prices"\?/],
  [["--symbols", "A,,B"], /a value is empty/],
  [["--where-key", "symbl=A"], /column symbl: .*Did you mean "symbol"\?/],
  [["--where-key", "note=x", "--tables", "prices"], /none of the chosen tables \(prices\) has it/],
  [["--start-date", "2024-02-30"], /no day of the calendar/],
  [["--start-date", "2024-01-01", "--tables", "notes"], /is a hypertable/],
  [["--workers", "65"], /a whole number from 1 to 64/],
  [["--max-rejects", "many"], /a number of rows/],
])("refuses %j", async (args, message) => {
  const { exitCode, stderr } = await at.timelift("load", ...args);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(message);
});

test("--json prints an event a line, and the result last; an error too", async () => {
  const { stdout } = await at.timelift("load", "--json");
  const events = stdout.split("\n").map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({ kind: "snapshot" });
  expect(
    events
      .filter(({ kind }) => kind === "loaded")
      .map(({ table }) => table)
      .sort(),
  ).toEqual(["notes", "prices", "signals", "stocks"]);
  expect(events.at(-1)).toMatchObject({
    kind: "result",
    result: { rows: 806, tables: { prices: { inserted: 400 } } },
  });
  await at.empty(["stocks"]);
  await at.owner.query("INSERT INTO stocks VALUES ('X', 'not from the source')");
  const failed = await at.timelift("load", "--json");
  expect(failed.exitCode).toBe(1);
  expect(JSON.parse(failed.stdout.split("\n").at(-1) ?? "")).toMatchObject({
    kind: "error",
    code: "target-foreign-rows",
    subject: "target table stocks",
  });
});

test("Ctrl-C stops in good order with exit code 130; --status tells, and the next load goes on", async () => {
  expect((await at.timelift("load", "--status")).stdout).toBe("shop: nothing was loaded yet");
  const large = ["load", "--source", join(at.project.dir, "large.db")];
  const running = at.start(...large, "--json");
  for await (const line of createInterface({ input: running.stdout })) {
    if (JSON.parse(line).kind === "part") break;
  }
  const during = await readLoadStatus(at.owner, "shop");
  running.kill("SIGINT");
  const { exitCode, stderr } = await running;
  expect(exitCode).toBe(130);
  expect(stderr).toMatch(/the load was stopped \(Ctrl-C\).*remedy: Run it again/s);
  expect(during).toMatchObject({
    state: "running",
    holder: { name: expect.stringMatching(/^timelift load/) },
  });
  expect(during.run?.rows).toBeGreaterThan(0);
  const after = (await at.timelift("load", "--status")).stdout;
  expect(after).toMatch(/^shop: interrupted; .* To go on: timelift load, or timelift up\n/);
  const again = await at.timelift(...large);
  expect(again.exitCode).toBe(0);
  expect(await counts()).toEqual(["4 600000 400 2"]);
  expect((await at.timelift("load", "--status")).stdout).toMatch(/^shop: complete: 600,406 rows; /);
});
