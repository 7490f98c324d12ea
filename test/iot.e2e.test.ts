import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIotSource, type IotRows } from "./iot-source.ts";
import { ProjectCopy } from "./project-copy.ts";

let project: ProjectCopy;
let rows: IotRows;

beforeAll(async () => {
  project = await ProjectCopy.make({
    ...{ source: "iot.db", workloadPath: "test/workloads/iot", dropData: true },
  });
  rows = buildIotSource(join(project.dir, "iot.db"), { days: 2, devices: 2 });
});
afterAll(async () => {
  await project.timelift("destroy");
  project.remove();
});

test("a workload that the project does not know is previewed, deployed, proved, and follows its source", async () => {
  const preview = await project.timelift("preview", "--diff");
  expect(preview.exitCode, preview.output).toBe(0);
  expect(preview.output).toContain(`${rows.readings.toLocaleString("en-US")} rows`);
  expect(preview.output).toContain("materialized view, refreshed concurrently every 15 minutes (fallback:");

  const up = await project.timelift("up");
  expect(up.exitCode, up.output).toBe(0);
  expect(up.output).toMatch(/validation PASS: \d+ PASS, 2 SKIP/);

  const source = new Database(join(project.dir, "iot.db"));
  source.exec(`DELETE FROM alarms WHERE message_id LIKE 'oslo-1:%';
    DELETE FROM readings WHERE device = 'oslo-1' AND value IS NULL;
    UPDATE devices SET battery = 5`);
  source.close();
  const again = await project.timelift("up");
  expect(again.exitCode, again.output).toBe(0);
  expect(again.output).toMatch(/validation PASS: \d+ PASS, 2 SKIP/);
  expect((await project.timelift("preview", "--expect-no-changes")).exitCode).toBe(0);
}, 240_000);
