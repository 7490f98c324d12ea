import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { renderLines } from "../loaders/validate/render-lines.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import loader, { options } from "../loaders/workloads/stockula.ts";
import { migrate } from "../migrations/migrate.ts";
import { phases } from "../migrations/migration-files.ts";
import { insertSource } from "./insert-source.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-validate-"));
const source = join(folder, "sample.db");
const copyPath = join(folder, "state", "copy.db");
const workloadDir = fileURLToPath(new URL("../migrations/stockula", import.meta.url));
const hypertables = [
  { table: "price_history", column: "time", interval: "1 month" },
  { table: "dividends", column: "time", interval: "1 year" },
  { table: "splits", column: "time", interval: "1 year" },
  { table: "options_calls", column: "expiration_date", interval: "1 month" },
  { table: "options_puts", column: "expiration_date", interval: "1 month" },
];
let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  await buildSample(source);
  database = await databaseFromTemplate("validate_stockula");
  for (const phase of phases) {
    await migrate(
      { target: database.owner, workloadDir, phase, context: { options: options.parse({}) } },
      () => {},
    );
  }
  owner = new pg.Client({ ...database.owner });
  await owner.connect();
  await insertSource(source, loader, owner);
}, 120_000);

afterAll(async () => {
  await owner?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const validate = () =>
  runValidation({
    ...{ workload: "stockula", loader, source, copyPath, expectedFingerprint: "", target: database.readonly },
    hypertables,
  });

test("the sample, loaded row by row, passes every check", async () => {
  const report = await validate();
  expect(renderLines(report).filter((line) => !line.startsWith("PASS "))).toEqual([
    expect.stringMatching(/^validation PASS: \d+ PASS; 5,816 rows compared/),
  ]);
  const names = report.checks.map((check) => check.name);
  expect(names).toContain("price_history parents in stocks");
  expect(names).toContain("options_calls sequence of id");
  expect(names.filter((name) => name.startsWith("query "))).toHaveLength(4);
});

test("the same rows under numeric(20,6) pass with the rounding declared, the queries too", async () => {
  const rounded = join(folder, "rounded.db");
  await buildSample(rounded);
  const file = new Database(rounded);
  file.exec("UPDATE price_history SET close_price = close_price + 0.0000004 WHERE symbol = '^GSPC'");
  file.close();
  const other = await databaseFromTemplate("validate_numeric");
  const client = new pg.Client({ ...other.owner });
  await client.connect();
  const context = { options: options.parse({ priceType: "numeric(20,6)" }) };
  for (const phase of phases) await migrate({ target: other.owner, workloadDir, phase, context }, () => {});
  await insertSource(rounded, loader, client);
  const args = {
    workload: "stockula",
    loader,
    source: rounded,
    copyPath: join(folder, "state", "rounded.db"),
  };
  const report = await runValidation({ ...args, expectedFingerprint: "", target: other.readonly });
  await client.end();
  await other.drop();
  expect(report.checks.filter((check) => check.status !== "PASS")).toEqual([]);
  expect(report.checks.find((check) => check.name === "price_history checksum")?.note).toMatch(
    /^rounded to the target's scale: close by at most 4\.\d+e-7$/,
  );
});

test("a price changed behind the load's back fails, and the row is named", async () => {
  await owner.query(
    "UPDATE price_history SET close = close + 0.01 WHERE symbol = 'AAPL' AND time = '2010-03-01+00'",
  );
  const report = await validate();
  expect(report.status).toBe("FAIL");
  expect(report.checks.find((check) => check.name === "price_history checksum")?.note).toBe(
    "1 row differs\nsymbol 'AAPL', time '2010-03-01', interval '1mo': close is '223.02' in the source, '223.03' in the target",
  );
  expect(report.checks.find((check) => check.name === "query latest close, every symbol")?.status).toBe(
    "FAIL",
  );
});
