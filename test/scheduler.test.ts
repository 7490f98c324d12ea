import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../migrations/migrate.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { asRole, freePorts, NativeStack, stackSecrets, value } from "./native-stack.ts";
import { VocabularyFolder } from "./vocabulary-folder.ts";

const stack = new NativeStack();
const folder = new VocabularyFolder();
let port = 0;

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  await stack.start(timescaledb({ port, database: "app" }));
});
afterAll(async () => {
  await stack.remove();
  folder.remove();
});

/** pg_cron starts a job at the full minute. */
test("on the native platform pg_cron refreshes aggregates and runs jobs by its own schedule", async () => {
  folder.write(
    "before-load",
    "0001_readings",
    `db.table("readings", { time: "timestamptz not null", device: "text not null" });
     db.hypertable("readings", { time: "time", chunk: days(1) });`,
  );
  folder.write(
    "after-load",
    "0001_aggregate",
    `db.continuousAggregate("hourly", {
       from: "readings", bucket: "hour", groupBy: ["device"],
       query: "SELECT device, time_bucket('1 hour', time) AS hour, count(*) AS n FROM readings GROUP BY device, time_bucket('1 hour', time)",
       refresh: { every: minutes(1), end: minutes(1) } });
     db.job("sweep", { every: minutes(1), statement: "DELETE FROM readings WHERE device = 'unwanted'" });`,
  );
  const target = {
    ...{ host: "127.0.0.1", port, database: "app" },
    ...{ user: "timelift_owner_a", password: stackSecrets.timelift_owner },
  };
  for (const phase of ["before-load", "after-load"] as const) {
    await migrate({ target, workloadDir: folder.path, phase, context: { options: {} } }, () => {});
  }
  await asRole(port, "timelift_app", (app) =>
    app.query("INSERT INTO readings SELECT now(), d FROM unnest(ARRAY['a', 'b', 'unwanted']) AS d"),
  );
  await asRole(port, "timelift_owner", async (owner) => {
    expect(await value(owner, "SELECT array_agg(DISTINCT scheduler) FROM timelift.task")).toEqual([
      "pg_cron",
    ]);
    expect(await value(owner, "SELECT count(*)::int FROM hourly")).toBe(0);
    await expect
      .poll(() => value(owner, "SELECT array_agg(device ORDER BY device) FROM hourly"), {
        timeout: 200_000,
        interval: 1000,
      })
      .toEqual(expect.arrayContaining(["a", "b"]));
    await expect
      .poll(() => value(owner, "SELECT count(*)::int FROM readings"), { timeout: 100_000, interval: 1000 })
      .toBe(2);
    expect(await value(owner, "SELECT count(*)::int FROM cron.job_run_details WHERE status = 'failed'")).toBe(
      0,
    );
    expect(
      await value(
        owner,
        "SELECT count(*)::int FROM timelift.task WHERE finished_at IS NULL OR error IS NOT NULL",
      ),
    ).toBe(0);
  });
  const context = { options: {} };
  await migrate({ target, workloadDir: folder.path, phase: "after-load", to: null, context }, () => {});
  await asRole(port, "timelift_owner", async (owner) => {
    expect(await value(owner, "SELECT count(*)::int FROM cron.job")).toBe(0);
  });
}, 260_000);
