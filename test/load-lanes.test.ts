import { utimesSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { append, updatedAt } from "../loaders/define-loader.ts";
import { LoadFixture, recorder } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("lanes");
});
afterAll(() => at.remove());

const sqlite = `
  CREATE TABLE groups (name TEXT PRIMARY KEY);
  CREATE TABLE ticks (id INTEGER PRIMARY KEY, grp TEXT REFERENCES groups, v TEXT, at TEXT);
  CREATE TABLE notes (id INTEGER PRIMARY KEY, tick INTEGER REFERENCES ticks, note TEXT);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO groups SELECT 'g' || i FROM n;
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
  INSERT INTO ticks SELECT i * 3, 'g' || (1 + i % 40), 'v' || i, '2024-01-' || printf('%02d', 28 - i / 200) FROM n;
  INSERT INTO notes SELECT id, id, 'note' FROM ticks WHERE id % 2 = 0;`;
const plain = `
  CREATE TABLE groups (name text PRIMARY KEY);
  CREATE TABLE ticks (id bigint PRIMARY KEY, grp text, v text, at date);
  CREATE TABLE notes (id bigint PRIMARY KEY, tick bigint, note text);`;
const keyed = `${plain}
  ALTER TABLE ticks ADD FOREIGN KEY (grp) REFERENCES groups;
  ALTER TABLE notes ADD FOREIGN KEY (tick) REFERENCES ticks;`;
const tables = { notes: {}, ticks: {}, groups: {} };
const content =
  "SELECT (SELECT count(*) FROM groups), count(*), sum(id), md5(string_agg(v, ',' ORDER BY id)), (SELECT count(*) FROM notes) FROM ticks";

async function loadedByOne(): Promise<string[]> {
  await at.fresh(sqlite, plain);
  await at.load({ tables });
  return at.rows(content);
}

test("several lanes write the same as one, a large table in stretches", async () => {
  const expected = await loadedByOne();
  await at.fresh(sqlite, plain);
  const { seen, events } = recorder();
  const result = await at.load({ tables }, { workers: 3, partRows: 200, events });
  expect(await at.rows(content)).toEqual(expected);
  expect(result.tables.ticks).toMatchObject({ rows: 5000, inserted: 5000 });
  const parts = result.parts.ticks ?? [];
  expect(parts.reduce((sum, part) => sum + part.rows, 0)).toBe(5000);
  expect(seen.filter((event) => event.kind === "loaded")).toHaveLength(3);
  const again = await at.load({ tables }, { workers: 3, force: true });
  expect(again.tables.ticks).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
});

test("with the keys in place a table waits for those it refers to", async () => {
  const expected = await loadedByOne();
  await at.fresh(sqlite, keyed);
  await at.load({ tables }, { workers: 4, partRows: 100 });
  expect(await at.rows(content)).toEqual(expected);
});

test("tables that refer to each other in a circle do not wait for ever", async () => {
  await at.fresh(
    `CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER); CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER);
     INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, NULL);`,
    `CREATE TABLE a (id bigint PRIMARY KEY, b bigint); CREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a);
     ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;`,
  );
  await at.load({ tables: { a: {}, b: {} } }, { workers: 2 });
  expect(await at.rows("SELECT a.b, b.a FROM a, b")).toEqual(["1 null"]);
});

test.each([
  ["full", {}],
  ["append", { change: append("id") }],
  ["updatedAt", { change: updatedAt("at") }],
])("lanes that stop leave gaps, and the next load fills them: %s", async (_, change) => {
  const expected = await loadedByOne();
  await at.fresh(sqlite, plain);
  const stop = new AbortController();
  let parts = 0;
  const stopped = at.load(
    { tables: { ...tables, ticks: change } },
    {
      workers: 3,
      partRows: 100,
      signal: stop.signal,
      events: (event) => {
        if (event.kind !== "part" || event.table !== "ticks") return;
        parts += 1;
        if (parts === 9) stop.abort(new Error("enough"));
      },
    },
  );
  await expect(stopped).rejects.toMatchObject({ code: "load-interrupted" });
  const [there] = await at.rows("SELECT count(*) FROM ticks");
  expect(Number(there)).toBeLessThan(5000);
  expect(Number(there)).toBeGreaterThan(0);
  const { seen, events } = recorder();
  await at.load({ tables: { ...tables, ticks: change } }, { workers: 2, partRows: 100, events });
  expect(await at.rows(content)).toEqual(expected);
  const action = seen.find((event) => event.kind === "table" && event.table === "ticks");
  expect(action).toMatchObject({ action: "append", rows: 5000 - Number(there) });
});

test("an error of one lane is the load's, and names the table", async () => {
  await at.fresh(sqlite, `${plain} ALTER TABLE ticks ADD CHECK (id <> 7500)`);
  await expect(at.load({ tables }, { workers: 3, partRows: 100 })).rejects.toMatchObject({
    code: "target-refused",
    subject: "target table ticks",
  });
});

test("a lane that stops in the middle lets go of what the others wait for", async () => {
  const expected = await loadedByOne();
  await at.fresh(
    sqlite,
    `CREATE TABLE groups (name text PRIMARY KEY); CREATE TABLE notes (id bigint PRIMARY KEY, tick bigint, note text);
     CREATE TABLE ticks (id bigint, grp text, v text, at date NOT NULL);
     SELECT create_hypertable('ticks', by_range('at', interval '1 day'), create_default_indexes => false)`,
  );
  // Nobody wrote to the source for a minute, so it is read in place; a write makes the next commit give up.
  const past = new Date(Date.now() - 60_000);
  utimesSync(at.source, past, past);
  const { seen, events } = recorder();
  let written = false;
  await at.load(
    { tables },
    {
      // Each transaction makes chunks, for which it locks the table until it ends.
      ...{ workers: 3, partRows: 100, copyPath: `${at.copyPath}.moved` },
      events: (event) => {
        events(event);
        if (event.kind !== "part" || event.table !== "ticks" || written) return;
        written = true;
        at.write("PRAGMA user_version = 1");
      },
    },
  );
  expect(seen.flatMap((event) => (event.kind === "snapshot" ? [event.read] : []))).toEqual([
    "in place",
    "new copy",
  ]);
  expect(await at.rows(content)).toEqual(expected);
});

test("a load waits for the last commit of another's lane, whose own connection is gone", async () => {
  const expected = await loadedByOne();
  await at.fresh(sqlite, plain);
  // Only lanes commit slowly: they do not have the load's lock. No client is looked for meanwhile, as in any commit.
  await at.asLoader(`
    CREATE FUNCTION timelift.linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND mode = 'ExclusiveLock') THEN
        PERFORM set_config('client_connection_check_interval', '0', true), pg_sleep(0.6);
      END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON timelift.load_part DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION timelift.linger()`);
  const watcher = await connect(at.database.loader, "test");
  try {
    const stop = new AbortController();
    const stopped = at.load({ tables }, { workers: 3, partRows: 100, signal: stop.signal });
    const committing = `SELECT FROM pg_stat_activity
      WHERE application_name = 'timelift load' AND datname = current_database() AND query = 'COMMIT' AND wait_event = 'PgSleep'`;
    while ((await watcher.query(committing)).rowCount === 0);
    stop.abort(new Error("killed, as far as the server can tell"));
    await expect(stopped).rejects.toMatchObject({ code: "load-interrupted" });
    await at.load({ tables }, { workers: 1 });
  } finally {
    await watcher.end();
    await at.asLoader("DROP FUNCTION timelift.linger() CASCADE");
  }
  expect(await at.rows(content)).toEqual(expected);
});
