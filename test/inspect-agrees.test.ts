import { afterAll, beforeAll, expect, test } from "vitest";
import { inspectSource } from "../loaders/inspect/inspect-source.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { LoadFixture } from "./load-fixture.ts";
import { loadSuggestion } from "./suggested-workload.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("inspect_agrees");
});
afterAll(() => at?.remove());

const declared = [
  ...[
    "INTEGER",
    "REAL",
    "TEXT",
    "BLOB",
    "",
    "BOOLEAN",
    "DATE",
    "DATETIME",
    "TIMESTAMP",
    "JSON",
    "UUID",
    "NUMERIC",
  ],
  ...["DECIMAL(10,2)", "VARCHAR(10)", "BIGINT", "no such type"],
];
const names = ["a", "created_at", "Order", "x y", "ts", "é", "date", "price"];
/** SQL of values; those of a line are alike. */
const kinds = [
  ["1", "0", "NULL"],
  ["42", "-7", "9007199254740993", "9223372036854775807"],
  ["1.5", "-0.0", "1e300", "9e999", "9223372036854775808"],
  ["1710074096", "1710074097.5", "315532800"],
  ["1710074096000", "1710074096001", "0"],
  ["1710074096000000", "2460380.5"],
  ["'2024-03-10'", "'2024-03-10 00:00:00'", "'0001-01-01'"],
  [
    "'2024-03-10 12:34:56'",
    "'2024-03-10T12:34:56.789Z'",
    "'2024-03-10 12:34+02:00'",
    "'2024-03-10T12:34:56.1234567'",
  ],
  ["'2024-02-30'", "'0000-00-00'", "'2024-03-10 24:00:00'", "'12.3.2024'", "'99999-01-01'"],
  ["'t'", "'FALSE'", "'yes'", "'off'"],
  ["'1'", "'007'", "'1.50'", "'1e5'", "'-'", "'18446744073709551616'", "'inf'", "'NaN'"],
  [`'{"a":1}'`, "'[]'", `'{"a":'`, `'"x"'`, "'null'", `'{"a":"\\u0000"}'`],
  [
    "'5f0c9b1e-0000-4000-8000-000000000001'",
    "'5F0C9B1E-0000-4000-8000-00000000000A'",
    "x'5f0c9b1e000040008000000000000001'",
  ],
  ["'plain'", "'é😀'", "'it''s'", "''", "' '", "char(10)"],
  ["x''", "x'00ff'", "CAST(x'6162ff' AS TEXT)", "CAST(x'610062' AS TEXT)"],
];

/** The same sequence for every run: what fails once fails again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomTables(): { sql: string; tables: string[] } {
  const pick = random(4);
  const of = <T>(list: T[]): T => list[pick(list.length)] as T;
  const tables = Array.from({ length: 60 }, (_, i) => `t${i}`);
  const sql = tables.map((table) => {
    const columns = names.slice(pick(3), 3 + pick(5)).map((name) => {
      const own = [of(kinds), of(kinds)];
      return { name, type: of(declared), value: () => of(own[pick(10) < 8 ? 0 : 1] as string[]) };
    });
    const list = columns.map(({ name, type }) => `"${name}" ${type}`).join(", ");
    const rows = Array.from(
      { length: 20 },
      (_, i) => `(${[i + 1, ...columns.map(({ value }) => value())].join(", ")})`,
    );
    return `CREATE TABLE ${table} (id INTEGER PRIMARY KEY${list === "" ? "" : `, ${list}`});
      INSERT INTO ${table} VALUES ${rows.join(", ")};`;
  });
  return { sql: sql.join("\n"), tables };
}

test("an inspection foretells what a load rejects, and a validation finds the rest the same", async () => {
  const { sql, tables } = randomTables();
  at.write(sql);
  const inspection = inspectSource(at.source);
  const foretold = inspection.tables.flatMap((table) =>
    table.columns.flatMap(({ name, unfit }) =>
      unfit === null ? [] : [`${table.name} ${name}: ${unfit.count}`],
    ),
  );
  const { load, loader } = await loadSuggestion(at, { source: at.source, maxRejects: 10_000 });
  const rejected = await at.rows(
    `SELECT table_name || ' ' || column_name || ': ' || count(*) FROM timelift.reject GROUP BY table_name, column_name`,
  );
  expect(rejected.toSorted()).toEqual(foretold.toSorted());
  expect(foretold.length).toBeGreaterThan(100);
  expect(load.rows + (load.rejected ?? 0)).toBe(tables.length * 20);
  const { source, copyPath } = at;
  const report = await runValidation({
    ...{ workload: "suggested", loader, source, copyPath, expectedFingerprint: load.fingerprint },
    ...{ target: at.database.readonly, thresholds: { differingRows: 0, rejectedRows: 20 } },
  });
  expect(report.checks.filter(({ status }) => status === "FAIL")).toEqual([]);
});
