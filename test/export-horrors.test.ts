import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runExport } from "../loaders/export/run-export.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { fileRows, fileSchema } from "./file-rows.ts";
import { buildHorrors } from "./horrors.ts";
import { LoadFixture } from "./load-fixture.ts";
import { loadSuggestion } from "./suggested-workload.ts";

/** Rows that are equal in value to others of another spelling, which is as common in its column. */
const respelled = ["boolean_t 2", "boolean_true 3", "empty_number 3", "epoch_ms 1", "iso_offset 2"];
let at: LoadFixture;

beforeAll(async () => {
  at = await LoadFixture.make("export_horrors");
});
afterAll(() => at?.remove());

test("what the suggested rules load is exported again as it was spelled", async () => {
  const source = join(at.folder, "horrors.db");
  buildHorrors(source);
  const { loader } = await loadSuggestion(at, { source, maxRejects: 100 });
  const file = join(at.folder, "export.db");
  const report = await runExport({ workload: "suggested", loader, file, target: at.database.readonly });
  expect(
    report.validation.checks.filter(({ status }) => status === "FAIL").map((check) => renderCheck(check)),
  ).toEqual([]);
  const kept = report.kept.map(({ sidecar }) => sidecar);
  expect(kept).toEqual([]);

  const rejected = await at.rows(
    "SELECT DISTINCT table_name, rowid FROM timelift.reject WHERE workload = 'suggested'",
  );
  const [was, is] = [fileRows(source), fileRows(file)];
  const changed = Object.entries(was).flatMap(([table, rows]) => {
    const found = new Set(is[table]);
    return rows.filter((row) => !found.has(row)).map((row) => `${table} ${idOf(row)}`);
  });
  expect(changed.filter((row) => !rejected.includes(row)).toSorted()).toEqual(respelled.toSorted());
  for (const [table, rows] of Object.entries(is)) {
    const lost = rejected.filter((row) => row.startsWith(`${table} `)).length;
    expect([table, rows.length + lost]).toEqual([table, was[table]?.length]);
  }
  for (const row of respelled) {
    const column = `${row.split(" ")[0]}.value`;
    expect(report.spellings).toContainEqual(expect.objectContaining({ column, counted: true }));
  }

  const isBroken = "table broken_virtual could not be made: no such module: no_such_module";
  expect(report.notes).toContain(isBroken);
  const [objects, settings] = fileSchema(source) as [{ name: string }[], unknown];
  const whole = objects.filter(({ name }) => name !== "broken_virtual");
  expect(fileSchema(file)).toEqual([whole, settings]);
});

/** Every horror's first column is its id, an integer. */
function idOf(row: string): string {
  return Buffer.from(/^0: integer ([0-9A-F]+)/.exec(row)?.[1] ?? "", "hex").toString();
}
