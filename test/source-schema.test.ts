import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { findSourceTable, readSourceSchema } from "../loaders/source/source-schema.ts";

function schemaOf(sql: string) {
  const source = new Database(":memory:").defaultSafeIntegers();
  source.exec(sql);
  const schema = readSourceSchema(source);
  source.close();
  return schema;
}

test("columns, keys, references and generated columns are read", () => {
  const schema = schemaOf(`
    CREATE TABLE parents (a TEXT, b INTEGER, PRIMARY KEY (b, a)) WITHOUT ROWID;
    CREATE TABLE children (
      id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER DEFAULT 5, twice INTEGER AS (b * 2), kept INTEGER AS (b * 3) STORED,
      email TEXT UNIQUE, FOREIGN KEY (b, a) REFERENCES parents (b, a), FOREIGN KEY (email) REFERENCES others
    );
    CREATE UNIQUE INDEX by_a ON children (a, b);
    CREATE UNIQUE INDEX partial ON children (a) WHERE b > 1;
    CREATE UNIQUE INDEX computed ON children (lower(a));`);
  const children = findSourceTable(schema, "children");
  expect(children.columns.map((column) => `${column.name} ${column.generated}`)).toEqual([
    "id no",
    "a no",
    "b no",
    "twice virtual",
    "kept stored",
    "email no",
  ]);
  expect(children.columns[1]).toMatchObject({ declaredType: "TEXT", notNull: true, defaultSql: null });
  expect(children.columns[2]?.defaultSql).toBe("5");
  expect(children).toMatchObject({ kind: "table", primaryKey: ["id"], rowid: "rowid" });
  expect(children.unique.toSorted()).toEqual([["a", "b"], ["email"]]);
  expect(children.foreignKeys.toSorted((x, y) => x.table.localeCompare(y.table))).toEqual([
    { columns: ["email"], table: "others", references: [] },
    { columns: ["b", "a"], table: "parents", references: ["b", "a"] },
  ]);
  expect(findSourceTable(schema, "parents")).toMatchObject({ primaryKey: ["b", "a"], rowid: null });
});

test("a column that hides the rowid's name leaves another way to it", () => {
  const schema = schemaOf(
    `CREATE TABLE one (rowid TEXT); CREATE TABLE two (rowid TEXT, _rowid_ TEXT, oid TEXT);`,
  );
  expect(schema.get("one")?.rowid).toBe("_rowid_");
  expect(schema.get("two")?.rowid).toBeNull();
});

test("views and virtual tables are tables to read; what SQLite keeps for itself is not", () => {
  const schema = schemaOf(`
    CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);
    CREATE VIEW v AS SELECT id AS x FROM t;
    CREATE VIRTUAL TABLE f USING fts5 (body)`);
  expect([...schema].map(([name, table]) => `${name} ${table.kind}`)).toEqual([
    "f virtual",
    "t table",
    "v view",
  ]);
  expect(schema.get("f")?.columns.map((column) => column.name)).toEqual(["body"]);
  expect(schema.get("v")?.columns.map((column) => column.name)).toEqual(["x"]);
});

test("a name is found as SQLite finds it, whatever its letter case", () => {
  expect(findSourceTable(schemaOf("CREATE TABLE Stocks (a)"), "stocks").name).toBe("Stocks");
});
