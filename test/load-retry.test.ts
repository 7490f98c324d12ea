import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LoadFixture, recorder } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("retry");
});
afterAll(() => at.remove());

const sqlite = `
  CREATE TABLE ticks (id INTEGER PRIMARY KEY, v TEXT);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO ticks SELECT i, 'v' || i FROM n;`;
const loader = { tables: { ticks: {} } };

/**
 * COPYs, as they begin, are counted by a sequence; where the condition on their number `n` holds, the server ends its side
 * of every load in this database, in the middle of that COPY.
 */
const cutWhere = (condition: string) => `
  CREATE TABLE ticks (id bigint, v text);
  DROP SEQUENCE IF EXISTS copies;
  CREATE SEQUENCE copies;
  CREATE OR REPLACE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE n bigint := nextval('copies');
    BEGIN
      IF ${condition} THEN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'timelift load' AND datname = current_database();
      END IF;
      RETURN NULL;
    END $$;
  CREATE TRIGGER cut BEFORE INSERT ON ticks FOR EACH STATEMENT EXECUTE FUNCTION cut();`;

test("a connection that is cut is opened again, and the load goes on", async () => {
  await at.fresh(sqlite, cutWhere("n IN (2, 4)"));
  const { seen, events } = recorder();
  const result = await at.load(loader, { partRows: 300, workers: 2, events });
  const retries = seen.filter((event) => event.kind === "retry");
  expect(retries.length).toBeGreaterThan(0);
  expect(retries[0]).toMatchObject({ attempt: 1, of: 5, waitMs: 500 });
  expect(result.rows).toBe(3000);
  expect(await at.rows("SELECT count(*), count(DISTINCT id), sum(id) FROM ticks")).toEqual([
    "3000 3000 4501500",
  ]);
});

test("a connection that breaks again and again is reported in the end, with how often it was tried", async () => {
  await at.fresh(sqlite, cutWhere("true"));
  const { seen, events } = recorder();
  await expect(at.load(loader, { retries: 2, events })).rejects.toMatchObject({
    code: "target-connection-lost",
    message: expect.stringContaining("Tried again 2 times."),
  });
  expect(seen.flatMap((event) => (event.kind === "retry" ? [event.waitMs] : []))).toEqual([500, 1000]);
  await at.owner.query("DROP TRIGGER cut ON ticks");
  await at.load(loader);
  expect(await at.rows("SELECT count(*) FROM ticks")).toEqual(["3000"]);
});

test("a server that was never there is reported at once", async () => {
  await at.fresh(sqlite, "CREATE TABLE ticks (id bigint, v text)");
  const { seen, events } = recorder();
  const target = { ...at.database.loader, port: 1 };
  await expect(at.load(loader, { target, events })).rejects.toMatchObject({ code: "database-unreachable" });
  expect(seen.filter((event) => event.kind === "retry")).toEqual([]);
});

test("a source that cannot be read leaves no connection behind", async () => {
  await at.fresh(sqlite, "CREATE TABLE ticks (id bigint, v text)");
  await expect(at.load(loader, { source: `${at.source}.missing` })).rejects.toMatchObject({
    code: "source-missing",
  });
  // One that is still on its way would show by then.
  await sleep(500);
  expect(
    await at.rows(
      "SELECT count(*) FROM pg_stat_activity WHERE usename = 'timelift_loader_a' AND datname = current_database()",
    ),
  ).toEqual(["0"]);
});
