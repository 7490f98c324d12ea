import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { append, defineLoader, drop, epoch, updatedAt } from "../loaders/define-loader.ts";
import { Ledger } from "../loaders/ledger.ts";
import type { LoadResult } from "../loaders/load-result.ts";
import type { LoadCommandRequest } from "../stacks/resources/sqlite-load-provider.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("reject");
}, 120_000);
afterAll(() => at?.remove());

const sqlite = `
  CREATE TABLE readings (id INTEGER PRIMARY KEY, at, amount, flag, note TEXT);
  INSERT INTO readings VALUES
    (1, '2024-01-01', 1, 1, 'fits'),
    (2, 'soon', 2, 1, 'bad time'),
    (3, '2024-01-03', 'many', 'maybe', 'two problems'),
    (4, '2024-01-04', 4, 'yes', CAST(x'ff41' AS TEXT)),
    (5, NULL, 5, 0, 'no time'),
    (6, 1700000000, 6, 0, 'seconds'),
    (7, '2024-01-07', 7, 0, 'fits too'),
    (8, 'later', '', 0, 'bad time and empty');`;
const postgres =
  "CREATE TABLE readings (id bigint NOT NULL, at timestamptz NOT NULL, amount int, flag boolean, note text)";
const loader = defineLoader({ tables: { readings: {} } });

/** The lines of the newest workload's rejects. */
const rejected = (table = "readings") =>
  at.rows(`
    SELECT rowid, row_key, column_name, value, reason FROM timelift.reject
    WHERE table_name = '${table}' AND workload = '${at.args(loader).workload}' ORDER BY rowid, row_key, id`);
const counts = (load: { inserted: number; updated: number; deleted: number } | undefined) =>
  `+${load?.inserted} ~${load?.updated} -${load?.deleted}`;
const ids = (table = "readings") => at.rows(`SELECT string_agg(id::text, ' ' ORDER BY id) FROM ${table}`);
const ledger = () =>
  at.rows(
    `SELECT lo, hi, rows, rejected FROM timelift.load_part WHERE workload = '${at.args(loader).workload}' ORDER BY lo`,
  );

describe("rows that do not fit", () => {
  test("are named with every problem they have, while all others are loaded", async () => {
    await at.fresh(sqlite, postgres);
    const load = at.load(loader, { partRows: 3 });
    await expect(load).rejects.toMatchObject({ name: "TimeliftError", code: "rows-rejected" });
    await expect(load).rejects.toThrow(/6 rows of 8 were rejected, and maxRejects allows 0/);
    await expect(load).rejects.toThrow(/readings\.at: 2 texts: is no timestamptz/);
    await expect(load).rejects.toThrow(/timelift rejects lists every row.*raise timelift:maxRejects/);
    expect(await ids()).toEqual(["1 7"]);
    expect(await rejected()).toEqual([
      '2 id integer 2 at text "soon" is no timestamptz',
      '3 id integer 3 amount text "many" is no integer',
      '3 id integer 3 flag text "maybe" is no boolean (0, 1, true, false, yes, no, on, off)',
      '4 id integer 4 note text "\uFFFDA" holds bytes that are no UTF-8',
      "5 id integer 5 at NULL is refused by the target's NOT NULL",
      expect.stringMatching(/^6 id integer 6 at integer 1700000000 does not say its unit; if it is seconds/),
      '8 id integer 8 at text "later" is no timestamptz',
      expect.stringMatching(/^8 id integer 8 amount text "" is empty, .*declare empty: "null"/),
    ]);
    expect(await ledger()).toEqual(["1 3 1 2", "4 6 0 3", "7 8 1 1"]);
  });

  test("fail the next load the same way, which writes nothing", async () => {
    await at.fresh(sqlite, postgres);
    const first = await at.load(loader, { partRows: 3 }).catch((error) => error.message);
    const state = `SELECT (SELECT count(*) FROM timelift.load_run), (SELECT max(id) FROM timelift.reject),
      (SELECT max(id) FROM timelift.load_part), (SELECT string_agg(xmin::text, ' ') FROM readings)`;
    const before = await at.rows(state);
    const second = await at.load(loader, { partRows: 3 }).catch((error) => error.message);
    expect(second).toBe(first);
    expect(await at.rows(state)).toEqual(before);
  });

  test("may be as many as maxRejects says, in rows or as a share", async () => {
    await at.fresh(sqlite, postgres);
    for (const maxRejects of [5, "5", "74.9%"]) {
      await expect(at.load(loader, { maxRejects })).rejects.toMatchObject({ code: "rows-rejected" });
    }
    for (const maxRejects of [6, "6", "75%", "100%"]) {
      const load = await at.load(loader, { maxRejects });
      expect([load.rows, load.rejected, load.tables.readings?.rejected]).toEqual([2, 6, 6]);
    }
    for (const maxRejects of ["some", -1, 1.5, "101%", ""]) {
      await expect(at.load(loader, { maxRejects })).rejects.toMatchObject({ code: "max-rejects" });
    }
  });

  test("and their number can be read by the role that validates", async () => {
    await at.fresh(sqlite, postgres);
    await at.load(loader, { maxRejects: 6 });
    const client = await connect(at.database.readonly, "test");
    try {
      const workload = at.args(loader).workload;
      const read = (sql: string) => client.query(sql, [workload]).then(({ rows }) => rows[0]);
      expect(
        await read("SELECT sum(rejected)::int AS n FROM timelift.load_part WHERE workload = $1"),
      ).toEqual({ n: 6 });
      expect(await read("SELECT count(*)::int AS n FROM timelift.reject WHERE workload = $1")).toEqual({
        n: 8,
      });
    } finally {
      await client.end();
    }
  });

  test("stop the load before its end when there is a flood of them", async () => {
    const flood = `CREATE TABLE readings (id INTEGER PRIMARY KEY, at TEXT);
      WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
        INSERT INTO readings SELECT i, iif(i % 2, 'soon', '2024-01-01') FROM n;
      CREATE VIEW all_readings AS SELECT * FROM readings`;
    await at.fresh(
      flood,
      "CREATE TABLE readings (id bigint, at date); CREATE TABLE seen (id bigint PRIMARY KEY, at date)",
    );
    const load = at.load(loader, { partRows: 4000, maxRejects: 10 });
    await expect(load).rejects.toMatchObject({ code: "rows-rejected" });
    await expect(load).rejects.toThrow(/The load stopped at table readings/);
    expect(await at.rows("SELECT count(*), max(id) FROM readings")).toEqual(["10010 20020"]);
    expect((await rejected()).length).toBe(10_011);
    await expect(at.load(loader, { maxRejects: 10 })).rejects.toMatchObject({ code: "rows-rejected" });
    expect(await at.rows("SELECT count(*) FROM readings")).toEqual(["10010"]);
    const { rows, rejected: left } = await at.load(loader, { maxRejects: "50%", partRows: 4000 });
    expect([rows, left]).toEqual([15_000, 15_000]);

    const view = defineLoader({ tables: { seen: { from: "all_readings" } } });
    const ofView = at.load(view);
    await expect(ofView).rejects.toThrow(/10,001 rows of .* rejected.*\n.*seen\.at: 10,001 texts/);
    expect(await at.rows("SELECT count(*) FROM seen")).toEqual(["0"]);
    expect((await at.load(view, { maxRejects: 15_000 })).rows).toBe(15_000);
  }, 60_000);

  test("of several lanes are named once each, whichever stops first", async () => {
    await at.fresh(
      `CREATE TABLE readings (id INTEGER PRIMARY KEY, at TEXT);
       WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
         INSERT INTO readings SELECT i, iif(i % 2, 'soon', '2024-01-01') FROM n`,
      "CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL)",
    );
    const several = { partRows: 1000, workers: 3 };
    await expect(at.load(loader, several)).rejects.toThrow(/The load stopped at table readings/);
    const { rows, rejected: left } = await at.load(loader, { ...several, maxRejects: "50%" });
    expect([rows, left]).toEqual([30_000, 30_000]);
    expect(await at.rows("SELECT count(*), count(DISTINCT id) FROM readings")).toEqual(["30000 30000"]);
    expect(new Set((await rejected()).map((line) => line.split(" ")[0])).size).toBe(30_000);
    expect((await rejected()).length).toBe(30_000);
  }, 60_000);
});

describe("rejected rows are loaded", () => {
  test("after they were corrected or deleted in the source", async () => {
    await at.fresh(sqlite, postgres);
    await at.load(loader, { partRows: 3, maxRejects: 6 });
    at.write(`UPDATE readings SET at = '2024-01-02' WHERE id = 2; DELETE FROM readings WHERE id = 3;
      UPDATE readings SET amount = 'few' WHERE id = 7`);
    const load = await at.load(loader, { partRows: 3, maxRejects: 5 });
    expect(counts(load.tables.readings)).toBe("+1 ~0 -1");
    expect([load.rows, load.rejected]).toEqual([2, 5]);
    expect(await ids()).toEqual(["1 2"]);
    expect((await rejected()).map((line) => line.split(" ")[0])).toEqual(["4", "5", "6", "7", "8", "8"]);
    at.write("DELETE FROM readings WHERE id NOT IN (1, 2)");
    expect((await at.load(loader)).rejected).toBe(0);
    expect(await rejected()).toEqual([]);
  });

  test("after a rule of the loader reads them", async () => {
    await at.fresh(sqlite, postgres);
    await at.load(loader, { maxRejects: 6 });
    const better = defineLoader({
      tables: { readings: { columns: { at: { read: epoch("s") }, amount: { empty: "null" } } } },
    });
    const load = await at.load(better, { maxRejects: 5 });
    expect([counts(load.tables.readings), load.rejected]).toEqual(["+1 ~0 -0", 5]);
    expect(await at.rows("SELECT at::text FROM readings WHERE id = 6")).toEqual(["2023-11-14 22:13:20+00"]);
    expect((await rejected()).filter((line) => line.startsWith("8 "))).toEqual([
      '8 id integer 8 at text "later" is no timestamptz',
    ]);
  });

  test("after the target takes them, although nothing changed in the source", async () => {
    await at.fresh(sqlite, postgres);
    await at.load(loader, { partRows: 3, maxRejects: 6 });
    await at.owner.query("ALTER TABLE readings ALTER at DROP NOT NULL, ALTER flag TYPE text");
    const retried = await at.load(loader, { partRows: 3, maxRejects: 6 });
    expect(counts(retried.tables.readings)).toBe("+0 ~0 -0");
    expect((await rejected()).filter((line) => line.startsWith("5 "))).toEqual([
      "5 id integer 5 flag integer 0 is no text",
    ]);
    await at.owner.query("ALTER TABLE readings ALTER flag TYPE boolean USING flag::boolean");
    const second = await at.load(loader, { partRows: 3, maxRejects: 5 });
    expect(counts(second.tables.readings)).toBe("+1 ~0 -0");
    expect(await ids()).toEqual(["1 5 7"]);
    expect(await ledger()).toEqual(["1 3 1 2", "4 6 1 2", "7 8 1 1"]);
    expect(counts((await at.load(loader, { maxRejects: 5 })).tables.readings)).toBe("+0 ~0 -0");
  });

  test("from a table that only grows, where corrections are otherwise not looked for", async () => {
    const growing = defineLoader({ tables: { readings: { change: append("id") } } });
    await at.fresh(sqlite, postgres);
    await at.load(growing, { partRows: 3, maxRejects: 6 });
    at.write(`UPDATE readings SET at = '2024-01-02' WHERE id = 2; DELETE FROM readings WHERE id = 3;
      INSERT INTO readings VALUES (9, '2024-01-09', 9, 1, 'new'), (10, 'never', 1, 1, 'new and bad')`);
    const load = await at.load(growing, { partRows: 3, maxRejects: 5 });
    expect(counts(load.tables.readings)).toBe("+2 ~0 -0");
    expect([load.rows, load.rejected, await ids()]).toEqual([4, 5, ["1 2 7 9"]]);
    expect(await ledger()).toEqual(["1 3 2 0", "4 6 0 3", "7 8 1 1", "9 10 1 1"]);
  });

  test("from a table without rowid and from a view, by comparing all of it", async () => {
    const both = defineLoader({ tables: { pairs: {}, seen: { from: "recent" } } });
    await at.fresh(
      `CREATE TABLE pairs (a TEXT, b, PRIMARY KEY (a)) WITHOUT ROWID; INSERT INTO pairs VALUES ('x', 1), ('y', 'z');
       CREATE VIEW recent AS SELECT a, b AS n FROM pairs`,
      "CREATE TABLE pairs (a text PRIMARY KEY, b int); CREATE TABLE seen (a text, n int)",
    );
    const first = await at.load(both, { maxRejects: 2 });
    expect([first.rows, first.rejected]).toEqual([2, 2]);
    expect(await rejected("pairs")).toEqual(['null a text "y" b text "z" is no integer']);
    expect(await rejected("seen")).toEqual(['null a row without key n text "z" is no integer']);
    const rows =
      "SELECT string_agg(xmin::text, ' ') FROM (SELECT xmin FROM pairs UNION ALL SELECT xmin FROM seen) r";
    const before = await at.rows(rows);
    expect((await at.load(both, { maxRejects: 2 })).rejected).toBe(2);
    expect(await at.rows(rows)).toEqual(before);
    at.write("UPDATE pairs SET b = '2' WHERE a = 'y'");
    const load = await at.load(both);
    expect([load.rows, load.rejected]).toEqual([4, 0]);
    expect(await rejected("pairs")).toEqual([]);
    expect(await at.rows("SELECT string_agg(a || n, ' ' ORDER BY a) FROM seen")).toEqual(["x1 y2"]);
  });
});

describe("changes and rejects", () => {
  const keyed = `${postgres}; ALTER TABLE readings ADD PRIMARY KEY (id)`;

  test("a row that no longer fits leaves the target, and comes back", async () => {
    await at.fresh(sqlite, keyed);
    await at.load(loader, { maxRejects: 6 });
    at.write("UPDATE readings SET amount = 1e99 WHERE id = 1");
    const worse = await at.load(loader, { maxRejects: 7 });
    expect([counts(worse.tables.readings), await ids()]).toEqual(["+0 ~0 -1", ["7"]]);
    expect((await rejected())[0]).toBe("1 id integer 1 amount real 1e+99 is no exact integer");
    at.write("UPDATE readings SET amount = 1 WHERE id = 1");
    expect(counts((await at.load(loader, { maxRejects: 6 })).tables.readings)).toBe("+1 ~0 -0");
  });

  test("what is written later is found although a rejected row holds the greatest time", async () => {
    const updating = defineLoader({ tables: { readings: { change: updatedAt("at") } } });
    await at.fresh(sqlite, keyed);
    await at.load(updating, { partRows: 3, maxRejects: 6 });
    at.write(
      "INSERT INTO readings VALUES (11, '2024-02-01', 11, 1, 'new'); UPDATE readings SET note = 'x', at = '2024-03-01' WHERE id = 1",
    );
    const load = await at.load(updating, { partRows: 3, maxRejects: 6 });
    expect([counts(load.tables.readings), load.rejected]).toEqual(["+1 ~1 -0", 6]);
    at.write("UPDATE readings SET amount = 'bad', at = '2024-04-01' WHERE id = 1");
    const worse = await at.load(updating, { partRows: 3, maxRejects: 7 });
    expect([counts(worse.tables.readings), worse.rows, worse.rejected]).toEqual(["+0 ~0 -1", 2, 7]);
    at.write("DELETE FROM readings WHERE id NOT IN (1, 7, 11); UPDATE readings SET amount = 1 WHERE id = 1");
    expect((await at.load(updating)).rejected).toBe(0);
    at.write("UPDATE readings SET amount = 'bad', at = '2024-05-01' WHERE id = 1");
    expect((await at.load(updating, { maxRejects: 1 })).rejected).toBe(1);
    expect(await ids()).toEqual(["7 11"]);
  });

  test("another table's change takes retried rows along in its transaction", async () => {
    const two = defineLoader({ tables: { readings: {}, names: {} } });
    await at.fresh(
      `${sqlite} CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO names VALUES (1, 'a'), (2, 'b')`,
      `${keyed}; CREATE TABLE names (id bigint PRIMARY KEY, name text)`,
    );
    await at.load(two, { maxRejects: 6 });
    await at.owner.query("ALTER TABLE readings ALTER at DROP NOT NULL");
    at.write("DELETE FROM names WHERE id = 2");
    const load = await at.load(two, { maxRejects: 5 });
    expect([counts(load.tables.readings), counts(load.tables.names)]).toEqual(["+1 ~0 -0", "+0 ~0 -1"]);
    expect(await ids()).toEqual(["1 5 7"]);
  });

  test("a load that was killed goes on, and names each reject once", async () => {
    const rows = 600_000;
    await at.fresh(
      `CREATE TABLE ticks (id INTEGER PRIMARY KEY, at TEXT NOT NULL);
       WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
         INSERT INTO ticks SELECT i, iif(i % 1000 = 0, 'soon', '2024-01-02 03:04:05') FROM n`,
      "CREATE TABLE ticks (id bigint NOT NULL, at timestamptz NOT NULL)",
    );
    const workloadPath = join(at.folder, "killed");
    mkdirSync(workloadPath);
    writeFileSync(join(workloadPath, "loader.ts"), "export default { tables: { ticks: {} } };");
    const request: LoadCommandRequest = {
      workload: { name: "killed", path: workloadPath, options: {} },
      source: at.source,
      copyPath: at.copyPath,
      target: at.database.loader,
    };
    const start = (maxRejects: string) => {
      const child = spawn(process.execPath, ["cli/main.ts", "load", "--request"], {
        stdio: ["pipe", "pipe", "ignore"],
      });
      child.stdin.write(`${JSON.stringify({ ...request, maxRejects })}\n`);
      return child;
    };
    const client = await connect(at.database.loader, "test");
    await Ledger.open(client, "killed");
    await client.end();
    const child = start("0.1%");
    const closed = once(child, "close");
    const there = "SELECT coalesce(max(rejected), 0) FROM timelift.load_part WHERE workload = 'killed'";
    while (Number((await at.rows(there))[0]) === 0 && child.exitCode === null) await sleep(10);
    child.kill("SIGKILL");
    await closed;
    const answer = async (maxRejects: string) => JSON.parse(await text(start(maxRejects).stdout));
    const load = (await answer("0.1%")).result as LoadResult;
    expect(load.tables.ticks?.inserted).toBeLessThan(rows - 600);
    expect([load.rows, load.rejected]).toEqual([rows - 600, 600]);
    expect(
      await at.rows("SELECT count(*), count(DISTINCT id), sum(id) FILTER (WHERE id % 1000 = 0) FROM ticks"),
    ).toEqual([`${rows - 600} ${rows - 600} null`]);
    expect(
      await at.rows("SELECT count(*), count(DISTINCT rowid) FROM timelift.reject WHERE workload = 'killed'"),
    ).toEqual(["600 600"]);
    expect((await answer("599")).error).toMatchObject({ code: "rows-rejected" });
  }, 60_000);

  test("a ledger of an earlier version is read as it is, and brought up to date in place by a load", async () => {
    await at.fresh(sqlite, postgres);
    const some = defineLoader({ tables: { readings: { where: "id IN (1, 7)" } } });
    expect((await at.load(some)).rows).toBe(2);
    await at.asLoader(
      "DROP TABLE timelift.reject, timelift.load_state; ALTER TABLE timelift.load_part DROP COLUMN rejected",
    );
    const read = await Ledger.read(at.owner, at.args(some).workload);
    expect(read.get("readings")).toMatchObject({ rows: 2, rejected: 0 });
    const again = await at.load(some);
    expect([counts(again.tables.readings), again.rejected]).toEqual(["+0 ~0 -0", 0]);
    expect((await at.load(loader, { maxRejects: 6 })).rejected).toBe(6);
  });
});

test("a reading for a column that holds no time is a mistake of the loader", async () => {
  await at.fresh(sqlite, postgres);
  const load = at.load(defineLoader({ tables: { readings: { columns: { amount: { read: epoch("s") } } } } }));
  await expect(load).rejects.toMatchObject({
    code: "reading-without-time",
    subject: "target column readings.amount",
  });
  await expect(load).rejects.toThrow(/type is integer.*\n.*timestamptz, timestamp or date/);
});

test("a row is known by its rowid where its key is not loaded", async () => {
  const keyless = defineLoader({ tables: { readings: { columns: { id: drop }, where: "id = 2" } } });
  await at.fresh(sqlite, postgres.replace("id bigint NOT NULL, ", ""));
  await expect(at.load(keyless)).rejects.toThrow(
    /readings, rowid 2, column at: text "soon" is no timestamptz/,
  );
});
