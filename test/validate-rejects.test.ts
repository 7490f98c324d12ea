import { afterAll, beforeAll, expect, test } from "vitest";
import { defineLoader, epoch } from "../loaders/define-loader.ts";
import { runValidation, type ValidationArgs } from "../loaders/validate/run-validation.ts";
import type { Thresholds } from "../loaders/validate/thresholds.ts";
import { LoadFixture } from "./load-fixture.ts";

const loader = defineLoader({
  tables: { event: { columns: { at: { read: epoch("ms") }, level: { empty: "null" } } } },
});
let fixture: LoadFixture;
let args: ValidationArgs;

beforeAll(async () => {
  fixture = await LoadFixture.make("validate_rejects");
  await fixture.fresh(
    `CREATE TABLE event (id INTEGER PRIMARY KEY, at, level, name TEXT NOT NULL);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
     INSERT INTO event SELECT i, 1700000000000 + i * 1000, i / 4.0, 'event ' || i FROM n;
     UPDATE event SET at = '2024-05-05 05:05:05' WHERE id = 2; UPDATE event SET level = '' WHERE id = 3;
     UPDATE event SET at = 'soon' WHERE id = 7; UPDATE event SET level = 'high', at = 'never' WHERE id = 8;
     UPDATE event SET name = 'far too long for it' WHERE id = 9`,
    `CREATE TABLE event (id bigint PRIMARY KEY, at timestamptz NOT NULL, level double precision, name varchar(12))`,
  );
  const load = await fixture.load(loader, { maxRejects: 10 });
  const { source, copyPath } = fixture;
  args = {
    ...{ workload: fixture.args(loader).workload, loader, source, copyPath },
    ...{ expectedFingerprint: load.fingerprint, target: fixture.database.owner },
  };
}, 120_000);

afterAll(() => fixture?.remove());

async function validate(thresholds: Thresholds) {
  const report = await runValidation({ ...args, thresholds });
  const rejects = report.checks.find(({ name }) => name === "event rejects");
  return { report, rejects };
}

test("rows that were rejected, and only those, are missing: allowed, they pass", async () => {
  const { report, rejects } = await validate({ rejectedRows: 3 });
  expect(report.checks.filter(({ status }) => status === "FAIL")).toEqual([]);
  expect(rejects).toMatchObject({ status: "PASS", expected: "3 rejected by the load" });
  expect(report.tables).toMatchObject([
    { sourceRows: 500, targetRows: 497, unfitRows: 3, differingRows: 0, complete: true },
  ]);
});

test("more of them than allowed fail, with key, column, value and reason", async () => {
  const { report, rejects } = await validate({ rejectedRows: 2 });
  expect(report.status).toBe("FAIL");
  expect(rejects?.status).toBe("FAIL");
  expect(rejects?.note).toContain("id 7: at: 'soon' is no timestamp with time zone");
  expect(rejects?.note).toContain(
    "id 8: at: 'never' is no timestamp with time zone; level: 'high' is no double",
  );
  expect(rejects?.note).toContain("id 9: name: 'far too long for it' is no character varying(12)");
  expect((await validate({})).rejects?.status).toBe("FAIL");
});

test("a ledger that says otherwise fails", async () => {
  await fixture.asLoader("UPDATE timelift.load_part SET rejected = rejected + 1 WHERE table_name = 'event'");
  const { rejects } = await validate({ rejectedRows: 10 });
  await fixture.asLoader("UPDATE timelift.load_part SET rejected = rejected - 1 WHERE table_name = 'event'");
  expect(rejects).toMatchObject({ status: "FAIL", expected: "4 rejected by the load" });
});

test("a ledger that cannot be read is a SKIP with its reason", async () => {
  const report = await runValidation({ ...args, workload: "unknown", thresholds: { rejectedRows: 3 } });
  const rejects = report.checks.find(({ name }) => name === "event rejects");
  expect(rejects?.status).toBe("SKIP");
  expect(rejects?.note).toContain(
    "not compared with what the load rejected: the ledger holds no part of this table",
  );
});
