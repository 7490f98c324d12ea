import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LoaderDefinition } from "../loaders/define-loader.ts";
import { quoteIdentifier } from "../loaders/identifier.ts";
import { type Inspection, inspectSource } from "../loaders/inspect/inspect-source.ts";
import { findingsOf } from "../loaders/inspect/inspection-finding.ts";
import { loaderRule } from "../loaders/inspect/loader-rule.ts";
import { holdings } from "../loaders/inspect/render-inspection.ts";
import {
  broken,
  buildHorrors,
  type HorrorValue,
  horrors,
  obviousTarget,
  oddTables,
  reject,
  view,
} from "./horrors.ts";
import { LoadFixture } from "./load-fixture.ts";
import { loadSuggestion } from "./suggested-workload.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-horrors-"));
const source = join(folder, "horrors.db");
let inspection: Inspection;

beforeAll(() => {
  buildHorrors(source);
  inspection = inspectSource(source);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tableOf = (name: string) => inspection.tables.find((table) => table.name === name);
const columnOf = (name: string) => tableOf(name)?.columns.find((column) => column.name === "value");

describe("inspect names each", () => {
  test.each(horrors.map((horror) => [horror.name, horror] as const))("%s", (name, { holds, suggests }) => {
    const column = columnOf(name);
    if (column === undefined) throw new Error("the column was not inspected");
    const held = holdings(column);
    for (const words of holds) expect(held).toContainEqual(expect.stringContaining(words));
    const rule = loaderRule(column);
    expect(rule === null ? column.suggestion.type : `${column.suggestion.type} value: ${rule}`).toBe(
      suggests,
    );
  });

  test.each(
    horrors
      .filter(({ values }) => values.some((value) => suggested(value) === reject))
      .map((horror) => [horror.name, horror] as const),
  )("the values of %s that will be rejected", (name, { values }) => {
    const first = values.findIndex((value) => suggested(value) === reject) + 1;
    const count = values.filter((value) => suggested(value) === reject).length;
    expect(columnOf(name)?.unfit).toMatchObject({ count, row: `rowid ${first}` });
    expect(findingsOf(inspection)).toContainEqual({
      where: `${name}.value`,
      what: expect.stringMatching(new RegExp(`^${count} values? would be rejected as `)),
    });
  });

  test("what cannot be read, and goes on", () => {
    for (const name of broken) expect(tableOf(name)?.error).toMatch(/no such (table|module)/);
    expect(tableOf("generated")?.columns.map((column) => column.generated)).toEqual([
      "no",
      "no",
      "virtual",
      "stored",
    ]);
    expect(tableOf("without_rowid")).toMatchObject({ rowid: null, primaryKey: ["n", "k"], rows: 2 });
    expect(tableOf("Select")).toMatchObject({ rowid: "_rowid_", rows: 1 });
    expect(tableOf("a_view")).toMatchObject({ kind: "view", rows: 1 });
  });
});

describe("a load with default rules", () => {
  let at: LoadFixture;
  const loader: LoaderDefinition = {
    tables: Object.fromEntries([...horrors, ...oddTables, view].map(({ name }) => [name, {}])),
  };
  const bad = horrors.flatMap(({ name, values }) =>
    values.flatMap(({ byDefault }, i) => (byDefault === reject ? [`${name} ${i + 1}`] : [])),
  );

  beforeAll(async () => {
    at = await LoadFixture.make("horrors");
    await at.owner.query(obviousTarget());
  });
  afterAll(() => at?.remove());

  test("fails, and says which values and why", async () => {
    await expect(at.load(loader, { source, workload: "horrors" })).rejects.toMatchObject({
      code: "rows-rejected",
      message: expect.stringContaining("beyond_int8.value: 1 real: "),
    });
  });

  test("names every bad value as a reject", async () => {
    const result = await at.load(loader, { source, workload: "horrors", maxRejects: 100 });
    expect(result.rejected).toBe(bad.length);
    const lines = await at.rows(
      "SELECT table_name, rowid FROM timelift.reject WHERE workload = 'horrors' AND column_name = 'value'",
    );
    expect(lines.toSorted()).toEqual(bad.toSorted());
    const empty = await at.rows(
      "SELECT table_name FROM timelift.reject WHERE reason = '' OR value = '' OR row_key = ''",
    );
    expect(empty).toEqual([]);
  });

  test("refuses a view that SQLite cannot read, by name", async () => {
    await expect(at.load({ tables: { broken_view: {} } }, { source })).rejects.toMatchObject({
      code: "source-table-broken",
      message: expect.stringContaining(
        "source view broken_view: SQLite cannot read it: no such table: main.gone.",
      ),
    });
  });

  test.each(horrors.map((horror) => [horror.name, horror] as const))(
    "keeps the rest of %s exact",
    async (name, { values }) => {
      const expected = values.flatMap(({ byDefault }, i) =>
        byDefault === reject ? [] : [[String(i + 1), byDefault]],
      );
      expect(await contentOf(at, name)).toEqual(expected);
    },
  );

  test.each([...oddTables, view].map((table) => [table.name, table] as const))(
    "loads %s",
    async (name, { rows }) => {
      expect(await at.rows(`SELECT * FROM ${quoteIdentifier(name)} ORDER BY 1`)).toEqual(rows);
    },
  );
});

describe("a load with the rules that inspect suggests", () => {
  let at: LoadFixture;
  beforeAll(async () => {
    at = await LoadFixture.make("horrors_suggested");
  });
  afterAll(() => at?.remove());

  test("rejects no time, and keeps the rest exact", async () => {
    const { load } = await loadSuggestion(at, { source, maxRejects: 100 });
    const lines = await at.rows("SELECT table_name, rowid FROM timelift.reject");
    const bad = horrors.flatMap(({ name, values }) =>
      values.flatMap((value, i) => (suggested(value) === reject ? [`${name} ${i + 1}`] : [])),
    );
    expect(lines.toSorted()).toEqual(bad.toSorted());
    // A month has no thirtieth of February in any type; all that is a moment arrives.
    expect(lines.filter((line) => /^(iso|epoch|julian|empty_time)/.test(line))).toEqual([]);
    expect(load.rejected).toBe(bad.length);
    for (const { name, rows } of oddTables) {
      const target = name.replace('"', "_");
      expect([target, load.tables[target]?.rows]).toEqual([target, rows.length]);
    }
    for (const { name, values } of horrors) {
      const expected = values.flatMap((value, i) =>
        suggested(value) === reject ? [] : [[String(i + 1), suggested(value)]],
      );
      expect([name, await contentOf(at, name)]).toEqual([name, expected]);
    }
  });
});

function suggested(value: HorrorValue): HorrorValue["bySuggestion"] {
  return value.bySuggestion === undefined ? value.byDefault : value.bySuggestion;
}

/** A table's rows as id and value; booleans and all else as the target's own text. */
async function contentOf(at: LoadFixture, table: string): Promise<unknown[][]> {
  const { rows } = await at.owner.query({
    text: `SELECT id::text, value::text FROM ${quoteIdentifier(table)} ORDER BY id`,
    rowMode: "array",
  });
  return rows;
}
