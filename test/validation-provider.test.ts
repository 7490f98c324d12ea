import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { documentThresholds, strictThresholds } from "../loaders/validate/thresholds.ts";
import * as validation from "../stacks/resources/validation-provider.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-validation-"));
const stateDir = join(folder, "state");
const page = join(stateDir, "report.html");
let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  mkdirSync(join(folder, "shop", "migrations", "before-load"), { recursive: true });
  mkdirSync(join(folder, "shop", "migrations", "after-load"));
  symlinkSync(join(import.meta.dirname, "..", "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "shop", "loader.ts"), "export default { tables: { stocks: {} } };\n");
  const source = new Database(join(folder, "app.db"));
  source.exec(`CREATE TABLE stocks (symbol TEXT PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO stocks VALUES ('AAPL', 'Apple'), ('MSFT', 'Micro<soft>')`);
  source.close();
  database = await databaseFromTemplate("validation_provider");
  owner = await connect(database.owner, "test");
  await owner.query(`CREATE TABLE stocks (symbol text PRIMARY KEY, name text NOT NULL);
    INSERT INTO stocks VALUES ('AAPL', 'Apple'), ('MSFT', 'Micro<soft>')`);
});

afterAll(async () => {
  await owner?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

function inputs(changed: object = {}) {
  const { host, port, database: name, password } = database.readonly;
  return {
    source: join(folder, "app.db"),
    workload: { name: "shop", path: join(folder, "shop"), options: {} },
    target: { host, port, database: name },
    ...{ password, stateDir, loaded: "", after: [], held: [], when: "changed" as const },
    thresholds: strictThresholds,
    ...changed,
  };
}

describe("an update compares anew", () => {
  const outputs = () => ({ ...inputs(), status: "PASS" as const, lines: [], report: "{}", page });

  test("when a threshold changed, and not when none did", async () => {
    const diff = (changed: object) => validation.diff("shop", outputs(), inputs(changed));
    expect(await diff({})).toEqual({ changes: false });
    expect(await diff({ thresholds: { ...strictThresholds } })).toEqual({ changes: false });
    expect(await diff({ thresholds: documentThresholds })).toEqual({ changes: true });
    expect(await diff({ thresholds: { ...strictThresholds, completeness: 0.99 } })).toEqual({
      changes: true,
    });
  });
});

describe("the page of an update", () => {
  test("is there after a validation that passed, for its owner only", async () => {
    const { outs } = await validation.create(inputs());
    expect(outs).toMatchObject({ status: "PASS", page });
    expect(readFileSync(page, "utf8")).toContain("<h1>All 2 rows of the source are in TimescaleDB");
    expect(statSync(page).mode & 0o777).toBe(0o600);
  });

  test("is named by the message of one that failed, with the rows", async () => {
    await owner.query("UPDATE stocks SET name = 'Microsoft' WHERE symbol = 'MSFT'");
    const failure = await validation.create(inputs()).then(
      () => undefined,
      (error: Error & { reasons: string[]; properties: object }) => error,
    );
    expect(failure?.message).toContain("symbol 'MSFT'");
    expect(failure?.message).toContain(`the whole report: ${page}`);
    expect(failure?.reasons.at(-1)).toMatch(/^validation FAIL: [\s\S]*the whole report: /);
    expect(failure?.properties).toMatchObject({ status: "FAIL", page });
    expect(readFileSync(page, "utf8")).toContain("Micro<mark>&lt;soft&gt;</mark>");
  });

  test("does not fail the proof when it cannot be written", async () => {
    await owner.query("UPDATE stocks SET name = 'Micro<soft>' WHERE symbol = 'MSFT'");
    rmSync(page);
    mkdirSync(page);
    const { outs } = await validation.create(inputs());
    rmSync(page, { recursive: true });
    expect(outs).toMatchObject({ status: "PASS", page: expect.stringContaining("not written: EISDIR") });
  });

  test("goes when nothing is proved any more, and with the resource", async () => {
    const { outs } = await validation.create(inputs());
    expect(existsSync(page)).toBe(true);
    const skipped = await validation.update("shop", outs as never, inputs({ held: ["0002_keys"] }));
    expect([skipped.outs.status, skipped.outs.page, existsSync(page)]).toEqual(["SKIP", "", false]);
    await validation.create(inputs());
    await validation.remove("shop", outs as never);
    expect(existsSync(page)).toBe(false);
  });
});
