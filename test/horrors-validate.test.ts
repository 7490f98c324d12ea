import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { buildHorrors } from "./horrors.ts";
import { LoadFixture } from "./load-fixture.ts";
import { loadSuggestion } from "./suggested-workload.ts";

let at: LoadFixture;

beforeAll(async () => {
  at = await LoadFixture.make("horrors_validate");
});
afterAll(() => at?.remove());

test("the horrors, loaded by the suggested rules, are validated: nothing differs but what was rejected", async () => {
  const source = join(at.folder, "horrors.db");
  buildHorrors(source);
  const { loader, hypertables, load } = await loadSuggestion(at, { source, maxRejects: 100 });
  const args = { workload: "suggested", loader, source, copyPath: at.copyPath, hypertables };
  const report = await runValidation({
    ...args,
    ...{ expectedFingerprint: load.fingerprint, target: at.database.readonly },
    thresholds: { differingRows: 0, rejectedRows: 100 },
  });
  expect(report.checks.filter((check) => check.status === "FAIL")).toEqual([]);
  expect(report.status).toBe("PASS");
});
