import { afterAll, beforeAll, expect, test } from "vitest";
import { defineLoader, epoch, julianDay } from "../loaders/define-loader.ts";
import { insertSource } from "./insert-source.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("load_names");
}, 120_000);
afterAll(() => at?.remove());

const odd = ["select", "Mixed Case", 'quo"te', "naïve 日本", "semi;colon", "it's", "a.b", "order", "100%"];
const quoted = odd.map((name) => `"${name.replaceAll('"', '""')}"`);

test("names that need quotes are quoted, in source, target, key and order", async () => {
  await at.fresh(
    `CREATE TABLE "Group By ""x""" (${quoted.map((name) => `${name} TEXT`).join(", ")}, PRIMARY KEY ("Mixed Case"));
     INSERT INTO "Group By ""x""" VALUES (${odd.map((_, i) => `'${i}'`).join(", ")}), (${odd.map((_, i) => `'b${i}'`).join(", ")})`,
    `CREATE TABLE "Group By ""x""" (${quoted.map((name) => `${name} text`).join(", ")}, PRIMARY KEY ("Mixed Case"))`,
  );
  const loader = defineLoader({ tables: { 'Group By "x"': { order: ['quo"te', "it's"] } } });
  expect((await at.load(loader)).rows).toBe(2);
  expect(await at.rows(`SELECT ${quoted.join(", ")} FROM "Group By ""x""" ORDER BY "order"`)).toEqual([
    odd.map((_, i) => i).join(" "),
    odd.map((_, i) => `b${i}`).join(" "),
  ]);
  at.write(`UPDATE "Group By ""x""" SET "a.b" = 'new' WHERE "select" = '0'`);
  expect((await at.load(loader)).tables['Group By "x"']).toMatchObject({ updated: 1, inserted: 0 });
  expect(await at.rows(`SELECT "a.b" FROM "Group By ""x""" WHERE "select" = '0'`)).toEqual(["new"]);
});

test("odd names are mapped to plain ones, and their rejects are listed under them", async () => {
  await at.fresh(
    `CREATE TABLE t (${quoted.map((name) => `${name}`).join(", ")}); INSERT INTO t VALUES (1, 2, 3, 4, 5, 6, 7, 8, 1700000000)`,
    `CREATE TABLE plain (${odd.map((_, i) => `c${i} ${i === 8 ? "timestamptz" : "int"}`).join(", ")})`,
  );
  const columns = Object.fromEntries(odd.map((name, i) => [name, `c${i}`]));
  const loader = defineLoader({ tables: { plain: { from: "t", columns } } });
  await expect(at.load(loader)).rejects.toThrow(
    /plain\.c8: 1 integer: does not say its unit; .*declare columns: \{ "100%": \{ to: "c8", read: epoch\("s"\) \} \}/,
  );
  const read = { to: "c8", read: epoch("s") };
  const better = defineLoader({ tables: { plain: { from: "t", columns: { ...columns, "100%": read } } } });
  await at.load(better);
  expect(await at.rows("SELECT c0, c7, c8::text FROM plain")).toEqual(["1 8 2023-11-14 22:13:20+00"]);
});

const shapes = `
  CREATE TABLE made (id INTEGER PRIMARY KEY, n INTEGER, twice INTEGER AS (n * 2) VIRTUAL, label TEXT AS ('n' || n) STORED);
  INSERT INTO made (n) VALUES (1), (NULL), (3);
  CREATE TABLE pairs (b INTEGER, a TEXT, n REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
  INSERT INTO pairs VALUES (2, 'x', 0.5), (1, 'y', NULL), (1, 'x', 1);
  CREATE TABLE shadowed (rowid TEXT, _rowid_ TEXT, oid TEXT, v INTEGER); INSERT INTO shadowed VALUES ('a', 'b', 'c', 1);
  CREATE VIEW seen AS SELECT a || b AS "key", sum(n) AS total FROM pairs GROUP BY 1;
  CREATE TABLE moments (at, day, seen); INSERT INTO moments VALUES
    (1700000000123, 2460310.5, ''), ('2024-01-01 10:00', '2024-02-29', 'x'), ('1700000000124', NULL, NULL);`;
const tables = `
  CREATE TABLE made (id bigint, n int, twice int, label text);
  CREATE TABLE pairs (a text, b int, n double precision);
  CREATE TABLE shadowed (rowid text, _rowid_ text, oid text, v int);
  CREATE TABLE seen (key text, total double precision);
  CREATE TABLE moments (at timestamptz, day date, seen text);`;

test("generated columns, tables without rowid, hidden rowids, views and readings arrive as plain INSERTs bring them", async () => {
  const loader = defineLoader({
    tables: {
      ...{ made: {}, pairs: {}, shadowed: {}, seen: {} },
      moments: { columns: { at: { read: epoch("ms") }, day: { read: julianDay }, seen: { empty: "null" } } },
    },
  });
  const everything = async () => {
    const found: string[][] = [];
    for (const table of Object.keys(loader.tables)) {
      found.push(await at.rows(`SELECT t::text FROM ${table} t ORDER BY t::text`));
    }
    return found;
  };
  await at.fresh(shapes, tables);
  await insertSource(at.source, loader, at.owner);
  const expected = await everything();
  expect(expected[0]).toEqual(["(1,1,2,n1)", "(2,,,)", "(3,3,6,n3)"]);
  expect(expected[4]).toContain('("2023-11-14 22:13:20.123+00",2024-01-01,"")');

  await at.fresh(shapes, tables);
  await at.load(loader);
  expect(await everything()).toEqual(expected);
  at.write("UPDATE made SET n = 7 WHERE id = 2; DELETE FROM pairs WHERE a = 'y'");
  expect((await at.load(loader)).rows).toBe(3 + 2 + 1 + 2 + 3);
  expect(await at.rows("SELECT twice, label FROM made WHERE id = 2")).toEqual(["14 n7"]);
});

test.each(["UTF-8", "UTF-16le", "UTF-16be"])(
  "text with bytes that are no %s is a reject, the character that stands for such bytes is none",
  async (encoding) => {
    const broken = encoding === "UTF-8" ? "x'ff41'" : encoding === "UTF-16le" ? "x'410000d8'" : "x'0041d800'";
    await at.fresh(
      `PRAGMA encoding = '${encoding}';
       CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);
       INSERT INTO t VALUES (1, char(65533) || ' real', 'é'), (2, CAST(${broken} AS TEXT), char(65533));
       CREATE TABLE w (a TEXT PRIMARY KEY, b TEXT) WITHOUT ROWID; INSERT INTO w SELECT a, b FROM t;
       CREATE VIEW v AS SELECT a, b FROM t`,
      "CREATE TABLE t (id int, a text, b text); CREATE TABLE w (b text); CREATE TABLE v (a text, b text)",
    );
    const loader = defineLoader({ tables: { t: {}, w: { columns: { a: "b", b: "a" } }, v: {} } });
    await at.owner.query("ALTER TABLE w ADD a text");
    const { rows, rejected } = await at.load(loader, { maxRejects: 3 });
    expect([rows, rejected]).toEqual([3, 3]);
    expect(
      await at.rows("SELECT a, b FROM t UNION ALL SELECT b, a FROM w UNION ALL SELECT a, b FROM v"),
    ).toEqual(Array(3).fill("\uFFFD real é"));
    const workload = at.args(loader).workload;
    expect(
      await at.rows(
        `SELECT table_name, column_name, reason FROM timelift.reject WHERE workload = '${workload}' ORDER BY 1`,
      ),
    ).toEqual(["t a", "v a", "w b"].map((column) => `${column} holds bytes that are no ${encoding}`));
  },
);
