import { afterAll, beforeAll, expect, test } from "vitest";
import { append, defineLoader, drop, type TableDefinition } from "../loaders/define-loader.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("load_mistakes");
}, 120_000);
afterAll(() => at?.remove());

const sqlite =
  "CREATE TABLE stocks (id INTEGER PRIMARY KEY, symbol TEXT, price REAL); INSERT INTO stocks VALUES (1, 'AAPL', 1.5)";
const postgres = "CREATE TABLE stocks (symbol text, price double precision)";
const load = (definition: TableDefinition) => at.load(defineLoader({ tables: { stocks: definition } }));

test.each<[code: string, target: string, definition: TableDefinition, words: RegExp]>([
  ["target-table-missing", "CREATE TABLE stock (a int)", {}, /has: stock\..*Did you mean "stock"/],
  ["source-column-unplaced", postgres, {}, /stocks\.id.*neither maps nor drops it.*symbol, price/],
  [
    "target-column-missing",
    postgres,
    { columns: { id: drop, price: "prize" } },
    /stocks\.prize.*Did you mean "price"/,
  ],
  ["target-column-twice", postgres, { columns: { id: "price" } }, /both source columns id and price/],
  [
    "target-column-unfilled",
    `${postgres}; ALTER TABLE stocks ADD extra int`,
    { columns: { id: drop } },
    /absent: \["extra"\]/,
  ],
  [
    "target-column-unfilled",
    `${postgres}; ALTER TABLE stocks ADD extra int NOT NULL`,
    { columns: { id: drop }, absent: ["extra"] },
    /NOT NULL without a default/,
  ],
  [
    "target-column-missing",
    postgres,
    { columns: { id: drop }, absent: ["extras"] },
    /absent from the source/,
  ],
  [
    "target-column-generated",
    "CREATE TABLE stocks (symbol text, price float8, id int GENERATED ALWAYS AS (1) STORED)",
    {},
    /the target computes it/,
  ],
  [
    "target-type-unsupported",
    "CREATE TABLE stocks (id int, symbol text, price money)",
    {},
    /cannot write the type money/,
  ],
  ["order-column-missing", postgres, { columns: { id: drop }, order: ["prize"] }, /Did you mean "price"/],
  [
    "change-column-dropped",
    postgres,
    { columns: { id: drop, price: drop }, absent: ["price"], change: append("price") },
    /append/,
  ],
])("%s is found before the first row is written", async (code, target, definition, words) => {
  await at.fresh(sqlite, target);
  const attempt = load(definition);
  await expect(attempt).rejects.toMatchObject({ name: "TimeliftError", code });
  await expect(attempt).rejects.toThrow(words);
});

test("a default, an identity and a declared absence fill what the source lacks", async () => {
  await at.fresh(
    sqlite,
    `${postgres}; ALTER TABLE stocks ADD n bigint GENERATED ALWAYS AS IDENTITY, ADD kind text NOT NULL DEFAULT 'share'`,
  );
  await load({ columns: { id: drop }, absent: ["kind"] });
  expect(await at.rows("SELECT * FROM stocks")).toEqual(["AAPL 1.5 1 share"]);
});

test("a full disk says what stands and how to go on", async () => {
  await at.fresh(sqlite, postgres);
  // The error that the server raises when it cannot extend a file.
  await at.owner.query(`
    CREATE OR REPLACE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON stocks FOR EACH ROW EXECUTE FUNCTION disk_full()`);
  const attempt = load({ columns: { id: drop } });
  await expect(attempt).rejects.toMatchObject({ code: "target-disk-full", subject: "target table stocks" });
  await expect(attempt).rejects.toThrow(/what was committed stands/);
});

test("a key that the source holds twice under the target's rules is shown", async () => {
  await at.fresh(
    `${sqlite}; INSERT INTO stocks VALUES (2, 'AAPL', 2)`,
    `${postgres}; ALTER TABLE stocks ADD PRIMARY KEY (symbol)`,
  );
  const attempt = load({ columns: { id: drop } });
  await expect(attempt).rejects.toMatchObject({ code: "target-duplicate" });
  await expect(attempt).rejects.toThrow(/symbol\)=\(AAPL\)/);
});

test("a reference to nothing is shown", async () => {
  await at.fresh(
    sqlite,
    `CREATE TABLE symbols (symbol text PRIMARY KEY); CREATE TABLE stocks (symbol text REFERENCES symbols, price float8)`,
  );
  await expect(load({ columns: { id: drop } })).rejects.toMatchObject({ code: "target-reference" });
});

test("a role without rights is told who can grant them", async () => {
  await at.fresh(
    sqlite,
    `${postgres}; REVOKE ALL ON stocks FROM timelift_loader; GRANT SELECT ON stocks TO timelift_loader`,
  );
  await expect(load({ columns: { id: drop } })).rejects.toMatchObject({ code: "target-permission" });
});

test("rows are written in the loader's order within a part", async () => {
  await at.fresh(
    `${sqlite}; INSERT INTO stocks VALUES (2, 'MSFT', 3), (3, 'AAPL', -1), (4, 'GOOG', NULL), (5, 'AAPL', 9)`,
    postgres,
  );
  await load({ columns: { id: drop }, order: ["symbol", "price"] });
  expect(await at.rows("SELECT symbol, price FROM stocks ORDER BY ctid")).toEqual([
    "AAPL -1",
    "AAPL 1.5",
    "AAPL 9",
    "GOOG null",
    "MSFT 3",
  ]);
});
