import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeclaredKeys } from "../loaders/declared-keys.ts";
import { defineLoader, type LoaderDefinition } from "../loaders/define-loader.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { LoadFixture } from "./load-fixture.ts";

const sqlite = `
  CREATE TABLE stocks (symbol TEXT PRIMARY KEY, name TEXT);
  INSERT INTO stocks VALUES ('A', 'a'), ('B', 'b');
  CREATE TABLE prices (id INTEGER PRIMARY KEY, symbol TEXT, at TEXT, price REAL, doc JSON);
  INSERT INTO prices VALUES (1, 'A', '2024-01-01', 1, '{}'), (2, 'A', '2024-01-01 00:00:00', 2, '[1]'),
    (3, 'XX', '2024-01-01', 3, NULL), (4, 'B', 'soon', 4, '{"a": 1}'), (5, 'B', '2024-01-02', 5, '{"b":2}'),
    (6, 'XX', '2024-01-09', 'much', NULL), (7, 'A', '2024-01-03', 7, NULL);
  CREATE TABLE codes (code TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
  INSERT INTO codes VALUES ('a', 1), ('b', 1), ('c', 2);
  CREATE TABLE raw (n TEXT, m TEXT); INSERT INTO raw VALUES ('a', 'x'), ('b', 'y'), ('a', 'x'), ('b', 'z'), ('a', 'x');
  CREATE VIEW seen AS SELECT n, m FROM raw;`;
const postgres = (doc: string) => `
  CREATE TABLE stocks (symbol text PRIMARY KEY, name text);
  CREATE TABLE prices (id bigint, symbol text, at timestamptz NOT NULL, price double precision, doc ${doc});
  CREATE TABLE codes (code text PRIMARY KEY, n bigint); CREATE TABLE seen (n text, m text);`;
const loader = defineLoader({ tables: { stocks: {}, prices: {}, codes: {}, seen: {} } });
const unique = (...columns: string[]) => [{ columns, nulls: "distinct" as const }];
const keys: DeclaredKeys[] = [
  {
    ...{ table: "prices", unique: unique("symbol", "at") },
    references: [{ columns: ["symbol"], table: "stocks", to: ["symbol"] }],
  },
  { table: "codes", unique: unique("n"), references: [] },
  { table: "seen", unique: unique("n"), references: [] },
];

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("validate_keys");
}, 120_000);
afterAll(() => at?.remove());

const declared = async () => keys;
async function start(doc = "json", definition: LoaderDefinition = loader) {
  await at.fresh(sqlite, postgres(doc));
  const load = await at.load(definition, { maxRejects: 100, keys: declared });
  await at.owner.query("ALTER TABLE prices ADD PRIMARY KEY (id)");
  return load;
}
const validate = async (given: (() => Promise<DeclaredKeys[]>) | undefined = declared) => {
  const report = await runValidation({
    ...{ workload: at.args(loader).workload, loader, source: at.source, copyPath: at.copyPath },
    ...{ expectedFingerprint: "", target: at.database.owner, thresholds: { rejectedRows: 100 } },
    ...(given && { keys: given }),
  });
  const failed = report.checks.filter(({ status, name }) => status === "FAIL" && name !== "seen primary key");
  return { report, failed, of: (name: string) => report.checks.find((check) => check.name === name) };
};
/** A line as the load writes it. */
const claim = (table: string, rowid: number | string) =>
  at.asLoader(
    `INSERT INTO timelift.reject (workload, table_name, source_table, rowid, row_digest, row_key, column_name, value, reason, run)
     VALUES ('${at.args(loader).workload}', '${table}', '${table}', ${typeof rowid === "number" ? `${rowid}, NULL` : `NULL, '${rowid}'`},
       'made up', 'symbol', 'text "A"', 'has no row in stocks (symbol)', 1)`,
  );
const countAs = (table: string, more: number) =>
  at.asLoader(
    `UPDATE timelift.load_part SET rejected = rejected + ${more}, rows = rows - ${more}
     WHERE table_name = '${table}' AND workload = '${at.args(loader).workload}'`,
  );

test.each(["json", "jsonb"])("rows that keys refuse are left out, once that is proved: %s", async (doc) => {
  expect((await start(doc)).rejected).toBe(4 + 1 + 3);
  const { report, failed, of } = await validate();
  expect(failed).toEqual([]);
  expect(
    report.tables.map(({ name, sourceRows, targetRows, unfitRows }) => [
      name,
      sourceRows,
      targetRows,
      unfitRows,
    ]),
  ).toEqual([
    ["stocks", 2, 2, 0],
    ["prices", 7, 3, 4],
    ["codes", 3, 2, 1],
    ["seen", 5, 2, 3],
  ]);
  expect(of("prices rejects")).toMatchObject({ status: "PASS", expected: "4 rejected by the load" });
  expect(of("prices rejects")?.note).toContain(
    "2 rows have no parent that is loaded, or the key of an earlier row: found in the source",
  );
  expect(of("prices rejects")?.note).toContain("id 4: at: 'soon' is no timestamp with time zone");
});

test("keys that nobody declares are no reason; those of the target are", async () => {
  await start();
  const { failed } = await validate(async () => []);
  expect(failed.map(({ name }) => name)).toContain("prices rejects");
  expect(failed.map(({ name }) => name)).toContain("prices rows");
  await at.owner.query(`ALTER TABLE prices ADD UNIQUE (symbol, at), ADD FOREIGN KEY (symbol) REFERENCES stocks;
    ALTER TABLE codes ADD UNIQUE (n); ALTER TABLE seen ADD UNIQUE (n)`);
  expect((await validate(undefined)).failed).toEqual([]);
});

test.each([
  ["of a row that has a parent and no equal", 5],
  ["of the first of two equal rows", 1],
])("a false claim fails, and names the row: %s", async (_name, rowid) => {
  await start();
  await claim("prices", rowid);
  const still = await validate();
  expect(still.failed.map(({ name }) => name)).toContain("prices rejects");
  expect(still.of("prices rejects")?.note).toMatch(/rows? (was|were) rejected without a reason that holds/);
  expect(still.of("prices rejects")?.note).toContain(`id '${rowid}': its values fit, and no key refuses it`);
  await at.owner.query(`DELETE FROM prices WHERE id = ${rowid}`);
  await countAs("prices", 1);
  const { failed, of } = await validate();
  expect(failed.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["prices rows", "prices checksum", "prices rejects"]),
  );
  expect(of("prices checksum")?.note).toContain(`id '${rowid}': missing in the target`);
});

test("a claim about a row that the source lacks fails", async () => {
  await start();
  await claim("prices", 99);
  await claim("codes", "0123456789abcdef");
  const { failed, of } = await validate();
  expect(failed.map(({ name }) => name)).toEqual(["prices rejects", "codes rejects"]);
  expect(of("prices rejects")?.note).toContain("rowid 99: the source has no such row");
  expect(of("codes rejects")?.note).toContain("a row: the source has no such row");
});

test("a rejected row that is in the target all the same fails", async () => {
  await start();
  await at.owner.query("INSERT INTO prices VALUES (2, 'A', '2024-01-01', 2, '[1]')");
  const { failed, of } = await validate();
  expect(failed.map(({ name }) => name)).toContain("prices checksum");
  expect(of("prices checksum")?.note).toContain("id '2': extra in the target");
});

test("a row that was left out without a word fails", async () => {
  await start();
  await at.asLoader(
    `DELETE FROM timelift.reject WHERE rowid = 2 AND workload = '${at.args(loader).workload}'`,
  );
  const { failed, of } = await validate();
  expect(failed.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["prices rows", "prices checksum", "prices rejects"]),
  );
  expect(of("prices checksum")?.note).toContain("id '2': missing in the target");
});

test("a parent that was rejected itself is none; one that a false claim names is still one", async () => {
  await start();
  await claim("stocks", 1);
  const { failed } = await validate();
  expect(failed.map(({ name }) => name)).toEqual(["stocks rejects"]);
  await at.fresh(
    `CREATE TABLE stocks (symbol TEXT PRIMARY KEY, name TEXT NOT NULL); INSERT INTO stocks VALUES ('A', 'too long'), ('B', 'b');
     CREATE TABLE prices (id INTEGER PRIMARY KEY, symbol TEXT, at TEXT, price REAL, doc TEXT);
     INSERT INTO prices VALUES (1, 'A', '2024-01-01', 1, NULL), (2, 'B', '2024-01-01', 1, NULL);
     CREATE TABLE codes (code TEXT, n INTEGER); CREATE VIEW seen AS SELECT '' AS n, '' AS m WHERE 0`,
    postgres("json").replace("name text", "name varchar(4)"),
  );
  expect((await at.load(loader, { maxRejects: 100, keys: declared })).rejected).toBe(2);
  await at.owner.query("ALTER TABLE prices ADD PRIMARY KEY (id)");
  expect((await validate()).failed).toEqual([]);
});

test("of rows that are equal in all their values, as many count as were rejected", async () => {
  await start();
  await at.asLoader(`DELETE FROM timelift.reject WHERE ctid = (SELECT min(ctid) FROM timelift.reject
    WHERE table_name = 'seen' AND row_key = 'a row without key' AND value LIKE '%"a"%' AND workload = '${at.args(loader).workload}')`);
  const { failed } = await validate();
  expect(failed.map(({ name }) => name)).toEqual(expect.arrayContaining(["seen rows", "seen rejects"]));
});
