import { copyFileSync, existsSync, utimesSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LoadEvent } from "../loaders/load-event.ts";
import { LoadFixture, recorder } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("in place");
});
afterAll(() => at.remove());

const sqlite = `
  CREATE TABLE ticks (id INTEGER PRIMARY KEY, v TEXT, at TEXT);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
  INSERT INTO ticks SELECT i, 'v' || i, '2024-01-01 00:00:00' FROM n;`;
const postgres = "CREATE TABLE ticks (id bigint PRIMARY KEY, v text, at timestamptz)";
const ofTicks = "SELECT count(*), sum(id), md5(string_agg(v, ',' ORDER BY id)) FROM ticks";

/** Makes the source look as if nobody had written to it for a minute. */
function rest(): void {
  const past = new Date(Date.now() - 60_000);
  utimesSync(at.source, past, past);
}

const reads = (seen: LoadEvent[]) => seen.flatMap((event) => (event.kind === "snapshot" ? [event.read] : []));

test("a source that nobody writes is read where it is, and no copy is made", async () => {
  await at.fresh(sqlite, postgres);
  rest();
  const { seen, events } = recorder();
  await at.load({ tables: { ticks: {} } }, { events });
  expect(reads(seen)).toEqual(["in place"]);
  expect(existsSync(at.copyPath)).toBe(false);
  expect((await at.rows(ofTicks))[0]).toContain("1000 500500");
});

test("one that was written to a moment ago is copied first", async () => {
  await at.fresh(sqlite, postgres);
  const { seen, events } = recorder();
  await at.load({ tables: { ticks: {} } }, { events });
  expect(reads(seen)).toEqual(["new copy"]);
});

test("one with a table that needs one long statement is copied first", async () => {
  await at.fresh(
    `${sqlite} CREATE TABLE words (word TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO words VALUES ('a'), ('b');`,
    `${postgres}; CREATE TABLE words (word text PRIMARY KEY)`,
  );
  rest();
  const { seen, events } = recorder();
  await at.load({ tables: { ticks: {}, words: {} } }, { events });
  expect(reads(seen)).toEqual(["new copy"]);
  expect(await at.rows("SELECT word FROM words ORDER BY 1")).toEqual(["a", "b"]);
});

test("a write in the middle of a load moves it to a copy: every row as written", async () => {
  await at.fresh(sqlite, postgres);
  rest();
  const { seen, events } = recorder();
  let written = false;
  await at.load(
    { tables: { ticks: {} } },
    {
      partRows: 100,
      events: (event) => {
        events(event);
        if (event.kind !== "part" || written) return;
        written = true;
        at.write("UPDATE ticks SET v = 'changed' WHERE id IN (5, 950); DELETE FROM ticks WHERE id = 700");
      },
    },
  );
  expect(reads(seen)).toEqual(["in place", "new copy"]);
  expect(await at.rows("SELECT count(*), sum(id) FROM ticks")).toEqual(["999 499800"]);
  expect(await at.rows("SELECT id FROM ticks WHERE v = 'changed' ORDER BY 1")).toEqual(["5", "950"]);
});

test("an unchanged source is known by its fingerprint; force compares all the same", async () => {
  await at.fresh(sqlite, postgres);
  const first = await at.load({ tables: { ticks: {} } });
  await at.owner.query("UPDATE ticks SET v = 'altered in the target' WHERE id = 7");
  const second = await at.load({ tables: { ticks: {} } });
  expect(second).toMatchObject({ fingerprint: first.fingerprint, rows: 1000 });
  expect(second.tables.ticks).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  const forced = await at.load({ tables: { ticks: {} } }, { force: true });
  expect(forced.tables.ticks).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
  expect(await at.rows("SELECT v FROM ticks WHERE id = 7")).toEqual(["v7"]);
});

test("a state that was left and comes back is compared again", async () => {
  await at.fresh(sqlite, postgres);
  const { fingerprint } = await at.load({ tables: { ticks: {} } });
  copyFileSync(at.source, `${at.source}.backup`);
  at.write("UPDATE ticks SET v = 'x' WHERE id = 1");
  // Dies after the rows were written and before the load could say that all is well.
  await at.asLoader(`CREATE FUNCTION timelift.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON timelift.load_state FOR EACH ROW EXECUTE FUNCTION timelift.refuse()`);
  await expect(at.load({ tables: { ticks: {} } })).rejects.toThrow(/no/);
  expect(await at.rows("SELECT v FROM ticks WHERE id = 1")).toEqual(["x"]);
  await at.asLoader("DROP FUNCTION timelift.refuse() CASCADE");
  copyFileSync(`${at.source}.backup`, at.source);
  expect((await at.load({ tables: { ticks: {} } })).fingerprint).toBe(fingerprint);
  expect(await at.rows("SELECT v FROM ticks WHERE id = 1")).toEqual(["v1"]);
});
