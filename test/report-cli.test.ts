import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderHtml } from "../loaders/validate/render-html/page.ts";
import { documentThresholds, strictThresholds } from "../loaders/validate/thresholds.ts";
import type { ValidationReport } from "../loaders/validation-report.ts";
import { failingReport } from "./report-fixture.ts";
import { StackCopy } from "./stack-copy.ts";

const loader = `export default {
  tables: { prices: { order: ["symbol", "day"] } },
  queries: { "sum of closes": {
    sqlite: "SELECT symbol, count(*) FROM prices GROUP BY symbol ORDER BY symbol",
    timescale: 'SELECT symbol, count(*) FROM prices GROUP BY symbol ORDER BY symbol COLLATE "C"',
    analytical: true,
  } },
};`;
const tables = `
  db.table("prices", { symbol: "text not null", day: "date not null", close: "double precision" });
  db.keys("prices", { primary: ["symbol", "day"] });`;

let at: StackCopy;
let out: string;
beforeAll(async () => {
  at = await StackCopy.make({ loader, tables });
  out = join(at.project.dir, "out");
  const source = new Database(at.source);
  source.exec(`
    CREATE TABLE prices (symbol TEXT NOT NULL, day TEXT NOT NULL, close REAL, PRIMARY KEY (symbol, day));
    WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
      INSERT INTO prices SELECT 'S' || (i % 3), date('2020-01-01', '+' || (i / 3) || ' days'), i / 7.0 FROM n;`);
  source.close();
  const loaded = await at.timelift("load");
  expect(loaded).toMatchObject({ exitCode: 0 });
});
afterAll(() => at?.remove());
beforeEach(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
});

const file = (name: string) => join(out, name);
const text = (name: string) => readFileSync(file(name), "utf8");

describe("timelift validate", () => {
  test("writes the page, JUnit XML and JSON of one report", async () => {
    const files = ["--html", file("r.html"), "--junit", file("r.xml"), "--json", file("r.json")];
    const { exitCode, stdout, stderr } = await at.timelift("validate", ...files);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\nvalidation PASS: \d+ PASS; 3,000 rows compared/);
    const report = JSON.parse(text("r.json")) as ValidationReport;
    expect(report).toMatchObject({ status: "PASS", rows: 3000, thresholds: strictThresholds });
    expect(report.subject).toMatchObject({
      source: "app.db",
      target: expect.stringMatching(/^database timelift at/),
    });
    expect(report.load?.tables.map(({ table, points }) => [table, points.map(({ rows }) => rows)])).toEqual([
      ["prices", [3000]],
    ]);
    expect(text("r.html")).toBe(renderHtml(report));
    expect(text("r.html")).not.toContain(at.project.dir);
    expect(text("r.xml")).toContain('<testcase classname="shop.prices" name="prices rows"');
  });

  test("puts nothing but the JSON on stdout where it goes there", async () => {
    const { stdout, stderr } = await at.timelift("validate", "--json", "-");
    expect((JSON.parse(stdout) as ValidationReport).rows).toBe(3000);
    expect(stderr).toContain("validation PASS");
  });

  test("holds the rows against the thresholds that are asked for", async () => {
    const changed = "UPDATE prices SET close = close + 1 WHERE symbol = 'S1' AND day = '2020-03-01'";
    await at.owner.query(changed);
    const strict = await at.timelift(
      "validate",
      "--html",
      file("strict.html"),
      "--junit",
      file("strict.xml"),
    );
    const documents = await at.timelift("validate", "--thresholds", "documents", "--json", file("d.json"));
    await at.owner.query(changed.replace("+ 1", "- 1"));
    expect(strict.exitCode).toBe(1);
    expect(text("strict.html")).toContain(
      "<h1>1 of 3,000 rows is not the same in TimescaleDB, in prices.</h1>",
    );
    expect(text("strict.xml")).toMatch(/<failure [\s\S]*symbol 'S1', day '2020-03-01'/);
    const report = JSON.parse(text("d.json")) as ValidationReport;
    expect(report.thresholds).toEqual(documentThresholds);
    expect(report.checks.find(({ name }) => name === "discrepancy")).toMatchObject({
      ...{ status: "PASS", actual: "prices: 0.033334 %, 1 row of 3,000" },
    });
    // Ten times as fast as SQLite on 3,000 rows: a server is not.
    expect(documents.exitCode).toBe(report.status === "PASS" ? 0 : 1);
  });

  test("refuses a file that cannot be written before it compares a row, and leaves no other", async () => {
    const nowhere = file("none/r.html");
    const { exitCode, stdout, stderr } = await at.timelift(
      "validate",
      "--junit",
      file("j.xml"),
      "--html",
      nowhere,
    );
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`${nowhere}: the report cannot be written there`);
    expect(stderr).toContain("remedy: Name a file in a folder that exists");
    expect(existsSync(file("j.xml"))).toBe(false);
  });

  test("knows the presets of thresholds", async () => {
    const { exitCode, stderr } = await at.timelift("validate", "--thresholds", "lax");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Allowed choices are strict, documents");
  });
});

describe("timelift report", () => {
  /** Puts a validation into the stack's state, as an update leaves it. */
  async function putValidation(report: string): Promise<void> {
    const state = JSON.parse((await at.project.pulumi("stack", "export")).stdout);
    const urn = "urn:pulumi:dev::timelift::pulumi:pulumi:Stack::timelift-dev";
    state.deployment.resources = [
      { urn, custom: false, type: "pulumi:pulumi:Stack" },
      {
        urn: "urn:pulumi:dev::timelift::pulumi-nodejs:dynamic/timelift:Validation::validation",
        ...{ custom: true, id: "shop", type: "pulumi-nodejs:dynamic/timelift:Validation", parent: urn },
        ...{ inputs: {}, outputs: { report } },
      },
    ];
    writeFileSync(file("state.json"), JSON.stringify(state));
    const { exitCode, output } = await at.project.pulumi("stack", "import", "--file", file("state.json"));
    if (exitCode !== 0) throw new Error(output);
  }

  test("says that there is none yet", async () => {
    const { exitCode, stderr } = await at.timelift("report", "--html", file("r.html"));
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("stack dev: it has not been validated yet"),
    ]);
    expect(existsSync(file("r.html"))).toBe(false);
  });

  test("renders the last one again, and fails as it did", async () => {
    const report = failingReport();
    await putValidation(JSON.stringify(report));
    const shown = await at.timelift("report", "--html", file("r.html"), "--junit", file("r.xml"));
    expect([shown.exitCode, shown.stderr]).toEqual([1, ""]);
    expect(shown.stdout).toContain("FAIL price_history checksum");
    expect(text("r.html")).toBe(renderHtml(report));
    expect(text("r.xml")).toContain('failures="2"');
    const { stdout } = await at.timelift("report", "--json");
    expect(JSON.parse(stdout)).toEqual(report);
  });

  test("does not take a validation that was skipped for a proof", async () => {
    await putValidation("{}");
    const { exitCode, stderr } = await at.timelift("report");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("its last update proved nothing")]);
  });
});
