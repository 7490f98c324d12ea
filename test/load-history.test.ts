import { afterAll, beforeAll, expect, test } from "vitest";
import { readLoadHistory } from "../loaders/validate/load-history.ts";
import { LoadFixture } from "./load-fixture.ts";

const loader = { tables: { large: {}, small: {} } };
let at: LoadFixture;

beforeAll(async () => {
  at = await LoadFixture.make("load_history");
});
afterAll(() => at?.remove());

const history = (role: "readonly" | "app" = "readonly") =>
  readLoadHistory(at.database[role], at.args(loader).workload);
const rowsOf = (points: { rows: number }[] = []) => points.map(({ rows }) => rows);

test("is said to be missing where nothing was ever loaded", async () => {
  expect(await history()).toEqual({ tables: [], missing: "the target holds no ledger of a load" });
});

test("holds each part of the load that brought most of a table, in the order of time", async () => {
  await at.fresh(
    `CREATE TABLE large (id INTEGER PRIMARY KEY); CREATE TABLE small (id INTEGER PRIMARY KEY);
     WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1050) INSERT INTO large SELECT i FROM n;
     INSERT INTO small VALUES (1), (2)`,
    "CREATE TABLE large (id bigint); CREATE TABLE small (id bigint)",
  );
  const large = await at.load(loader, { partRows: 100 });
  at.write("INSERT INTO large VALUES (2000)");
  await at.load(loader, { partRows: 100 });
  const { tables, missing } = await history();
  expect([missing, tables.map(({ table }) => table)]).toEqual([undefined, ["large", "small"]]);
  const parts = large.parts.large?.map(({ rows }) => rows) ?? [];
  expect(parts.length).toBeGreaterThan(5);
  // The last part was loaded again, with the new row, by the second load.
  expect(rowsOf(tables[0]?.points)).toEqual(parts.slice(0, tables[0]?.points.length));
  expect(rowsOf(tables[1]?.points)).toEqual([2]);
  const times = tables[0]?.points.map(({ ms }) => ms) ?? [];
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Math.min(...times)).toBeGreaterThan(0);
});

test("keeps every row in fewer points where a load had many parts", async () => {
  await at.fresh(
    `CREATE TABLE large (id INTEGER PRIMARY KEY); CREATE TABLE small (id INTEGER PRIMARY KEY);
     WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO large SELECT i FROM n`,
    "CREATE TABLE large (id bigint); CREATE TABLE small (id bigint)",
  );
  const { parts } = await at.load(loader, { partRows: 10 });
  expect(parts.large?.length).toBeGreaterThan(60);
  const points = (await history()).tables[0]?.points ?? [];
  expect(points.length).toBeLessThanOrEqual(60);
  expect(rowsOf(points).reduce((sum, rows) => sum + rows, 0)).toBe(2000);
});

test("is said to be missing to a role that may not read it, and of another workload", async () => {
  expect(await history("app")).toEqual({
    tables: [],
    missing: "role timelift_app_a may not read the load's ledger",
  });
  expect(await readLoadHistory(at.database.readonly, "another")).toEqual({
    tables: [],
    missing: "the ledger holds no part of this workload",
  });
});
