import { beforeEach, describe, expect, test } from "vitest";
import { defineLoader, drop, epoch } from "../loaders/define-loader.ts";
import { inspectSource } from "../loaders/inspect/inspect-source.ts";
import { LoadFixture } from "./load-fixture.ts";
import { loadSuggestion } from "./suggested-workload.ts";

// What users of pgloader report of SQLite sources: https://github.com/dimitri/pgloader/issues/<number>.

let at: LoadFixture;
let tests = 0;
beforeEach(async () => {
  at = await LoadFixture.make(`complaint_${tests++}`);
  return () => at.remove();
});

/** The suggested type of each column of a table. */
function suggestedTypes(table: string): Record<string, string> {
  const found = inspectSource(at.source).tables.find(({ name }) => name === table);
  return Object.fromEntries(found?.columns.map(({ name, suggestion }) => [name, suggestion.type]) ?? []);
}

/** The default that the target's own catalog holds for a column. */
async function defaultOf(table: string, column: string): Promise<string | undefined> {
  const [text] = await at.rows(`SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
    JOIN pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum
    WHERE adrelid = '${table}'::regclass AND attname = '${column}'`);
  return text;
}

describe("1314: milliseconds since 1970 in a DATETIME column, refused as the year 1627303906122", () => {
  const sqlite = `CREATE TABLE strapi_role (id integer primary key autoincrement, name varchar(255),
      created_at datetime default current_timestamp);
    INSERT INTO strapi_role (name, created_at) VALUES ('Super Admin', 1627303906122), ('Editor', 1627303906133)`;

  test("arrive as the moments they are, by the rule that inspect suggests", async () => {
    await at.fresh(sqlite, "");
    await loadSuggestion(at, { source: at.source });
    expect(await at.rows("SELECT id, name, created_at::text FROM strapi_role ORDER BY id")).toEqual([
      "1 Super Admin 2021-07-26 12:51:46.122+00",
      "2 Editor 2021-07-26 12:51:46.133+00",
    ]);
  });

  test("are rejected without a rule, each named, with the rule to write", async () => {
    await at.fresh(sqlite, "CREATE TABLE strapi_role (id bigint, name text, created_at timestamptz)");
    await expect(at.load(defineLoader({ tables: { strapi_role: {} } }))).rejects.toMatchObject({
      code: "rows-rejected",
      message: expect.stringMatching(
        /integer 1627303906122 .*columns: \{ created_at: \{ read: epoch\("ms"\) \} \}/,
      ),
    });
    expect(await at.rows("SELECT * FROM strapi_role")).toEqual([]);
  });
});

describe("1381: milliseconds taken for seconds, so that 2022 silently became the year 54191", () => {
  const sqlite = `CREATE TABLE events (id INTEGER PRIMARY KEY, created_at datetime);
    INSERT INTO events VALUES (1, 1647950409737)`;
  const postgres = "CREATE TABLE events (id bigint, created_at timestamptz)";
  const right = ["1 2022-03-22 12:00:09.737+00"];
  const rows = () => at.rows("SELECT id, created_at::text FROM events");

  test("the suggested unit is the right one, and the year is 2022", async () => {
    await at.fresh(sqlite, "");
    const { files } = await loadSuggestion(at, { source: at.source });
    expect(files["loader.ts"]).toContain('created_at: { read: epoch("ms") }');
    expect(await rows()).toEqual(right);
  });

  test("the unit may as well be declared by hand", async () => {
    await at.fresh(sqlite, postgres);
    await at.load(defineLoader({ tables: { events: { columns: { created_at: { read: epoch("ms") } } } } }));
    expect(await rows()).toEqual(right);
  });

  test("without one nothing is written, silently or otherwise", async () => {
    await at.fresh(sqlite, postgres);
    const { rejected } = await at.load(defineLoader({ tables: { events: {} } }), { maxRejects: 1 });
    expect(rejected).toBe(1);
    expect(await rows()).toEqual([]);
    expect(await at.rows("SELECT table_name, column_name, value FROM timelift.reject")).toEqual([
      "events created_at integer 1647950409737",
    ]);
  });
});

test("1523: CURRENT_TIMESTAMP as a default is the clock, not the text 'current_timestamp'", async () => {
  await at.fresh(
    `CREATE TABLE queries (id INTEGER PRIMARY KEY, "user" TEXT, query TEXT, json TEXT, num_results INT,
       ran_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
     INSERT INTO queries ("user", query, ran_at) VALUES ('me', 'SELECT 1', '2023-08-25 14:17:37')`,
    "",
  );
  await loadSuggestion(at, { source: at.source });
  expect(await defaultOf("queries", "ran_at")).toBe("now()");
  await at.owner.query(`INSERT INTO queries ("user") VALUES ('you')`);
  expect(
    await at.rows(`SELECT "user", abs(extract(epoch FROM now() - ran_at)) < 600 FROM queries ORDER BY id`),
  ).toEqual(["me false", "you true"]);
});

test("1631: STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW') as a default is the clock, in a text column its text", async () => {
  await at.fresh(
    `CREATE TABLE role (id INTEGER PRIMARY KEY, name TEXT, scope TEXT,
       createdAt DATETIME DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')),
       written TEXT DEFAULT (STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')));
     INSERT INTO role (name, createdAt, written) VALUES ('admin', '2024-12-09 15:29:55.010', 'once')`,
    "",
  );
  await loadSuggestion(at, { source: at.source });
  expect(await defaultOf("role", "createdAt")).toBe("now()");
  await at.owner.query("INSERT INTO role (name) VALUES ('new')");
  const [row] = await at.rows("SELECT written FROM role WHERE name = 'new'");
  expect(row).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
});

test("1177: DATETIME('now', 'localtime') as a default, and what it wrote, arrive", async () => {
  await at.fresh(
    `CREATE TABLE tax (id INTEGER PRIMARY KEY, at TIMESTAMP DEFAULT (DATETIME('now', 'localtime')));
     INSERT INTO tax DEFAULT VALUES; UPDATE tax SET at = '2020-07-02 15:29:30'`,
    "",
  );
  await loadSuggestion(at, { source: at.source });
  expect(await at.rows("SELECT at::text FROM tax")).toEqual(["2020-07-02 15:29:30+00"]);
  expect(await defaultOf("tax", "at")).toBe("now()");
});

test("1077: a target whose types and columns differ from the source takes every value or names it", async () => {
  // Redmine: its own migrations made the target; the source says INTEGER, varchar(255), boolean with 't' and 'f'.
  await at.fresh(
    `CREATE TABLE issues (id INTEGER PRIMARY KEY, tracker_id integer, subject varchar(255), is_private boolean
       DEFAULT 'f' NOT NULL, done_ratio integer, estimated_hours float, start_date date, created_on datetime,
       root_id text, gone_column text);
     INSERT INTO issues VALUES (1, 2, 'Übersicht', 't', 50, 2, '2020-02-04', '2020-02-04 10:27:17.912', '7', 'x'),
       (2, 70000, 'large', 'f', 0, 1.5, NULL, NULL, NULL, NULL)`,
    `CREATE TABLE issues (id integer PRIMARY KEY, tracker_id smallint, subject character varying, is_private boolean
       NOT NULL, done_ratio integer, estimated_hours double precision, start_date date, created_on timestamp,
       parent integer)`,
  );
  const columns = { root_id: "parent" };
  await expect(at.load(defineLoader({ tables: { issues: { columns } } }))).rejects.toMatchObject({
    code: "source-column-unplaced",
    message: expect.stringContaining("gone_column"),
  });
  const loader = defineLoader({ tables: { issues: { columns: { ...columns, gone_column: drop } } } });
  await at.load(loader, { maxRejects: 1 });
  expect(
    await at.rows(
      "SELECT id, tracker_id, subject, is_private, estimated_hours, start_date::text, created_on::text, parent FROM issues",
    ),
  ).toEqual(["1 2 Übersicht true 2 2020-02-04 2020-02-04 10:27:17.912 7"]);
  expect(await at.rows("SELECT rowid, column_name, value, reason FROM timelift.reject")).toEqual([
    "2 tracker_id integer 70000 is outside the range of smallint",
  ]);
});

test("548: type words that nobody has heard of get a type that suits the values", async () => {
  await at.fresh(
    `CREATE TABLE words (a "signed long", b UNSIGNED BIG INT, c "VARCHAR COLLATE NOCASE", d TEXT_LIST, e "byte[]",
       f "integer unsigned auto_increment", g "timestamp not really", h "Ausdruck frei", i "double precision", j Number);
     INSERT INTO words VALUES (1, 9223372036854775807, 'x', 'a,b', x'00', 3, '2017-05-09 17:26:26', 2.5, 0.1, 5)`,
    "",
  );
  expect(suggestedTypes("words")).toEqual({
    ...{ a: "bigint", b: "bigint", c: "text", d: "text", e: "bytea", f: "bigint", g: "timestamptz" },
    ...{ h: "double precision", i: "double precision", j: "numeric" },
  });
  await loadSuggestion(at, { source: at.source });
  expect(await at.rows("SELECT a, b, c, d, e::text, f, g::text, h, i, j FROM words")).toEqual([
    "1 9223372036854775807 x a,b \\x00 3 2017-05-09 17:26:26+00 2.5 0.1 5",
  ]);
});
