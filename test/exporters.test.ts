import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findSample } from "../cli/sample/samples.ts";
import { connect } from "../loaders/connection.ts";
import { behindSql, eachSession, everyHours, type Freshness } from "../loaders/freshness.ts";
import { databaseQueries } from "../stacks/monitoring/database-queries.ts";
import { renderQueries } from "../stacks/monitoring/query.ts";
import { postgresExporter } from "../stacks/services/exporters.ts";
import { loginOf } from "../stacks/services/login.ts";
import { roles } from "../stacks/services/role.ts";
import { noCommunity } from "./community.ts";
import { DeployedWorkload } from "./deployed-workload.ts";
import { MonitoredStack } from "./monitored-stack.ts";
import { stackSecrets } from "./native-stack.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

describe("on the native platform", () => {
  let stack: MonitoredStack;

  beforeAll(async () => {
    stack = await MonitoredStack.start();
    await stack.addPrice("2020-06-01");
    await stack.as("timelift_app", (client) => client.query("SELECT count(*) FROM price_history"));
    await stack.native.start(stack.prometheus());
  });
  afterAll(() => stack.remove());

  test("every target answers", async () => {
    const jobs = ["node", "pgbouncer", "postgres", "prometheus", "redis"];
    const up = async () => (await stack.ask("up == 1")).map(({ metric }) => metric.job).sort();
    await expect.poll(up, { timeout: 20_000 }).toEqual(jobs);
    expect((await stack.ask("up"))[0]?.metric.stack).toBe("test");
  });

  test("what each exporter watches answers it, and no query of ours fails", async () => {
    for (const metric of ["pg_up", "pgbouncer_up", "redis_up"]) {
      await expect.poll(async () => (await stack.ask(metric))[0]?.value, { timeout: 20_000 }).toBe(1);
    }
    expect(await stack.ask("pg_exporter_last_scrape_error == 1")).toEqual([]);
  });

  test("every metric of our queries is there, but for what nothing has yet", async () => {
    const empty = ["timelift_replica_lag_seconds"];
    for (const { name, columns } of stack.queries) {
      for (const [column, { as }] of Object.entries(columns)) {
        const metric = `${name}_${column}`;
        if (as === "label" || empty.includes(metric)) continue;
        await expect
          .poll(async () => [metric, (await stack.ask(metric)).length > 0], { timeout: 20_000 })
          .toEqual([metric, true]);
      }
    }
    const [newest] = await stack.ask('timelift_table_newest_row_timestamp_seconds{table="price_history"}');
    expect(newest).toMatchObject({
      value: Date.parse("2020-06-01") / 1000,
      metric: { workload: "stockula" },
    });
    expect((await stack.ask("timelift_table_behind_seconds"))[0]?.value).toBeGreaterThan(5 * 365 * 86_400);
  });

  test("a task that failed shows; Apache's own failing job does not", async () => {
    await stack.as("timelift_owner", (client) =>
      client.query("UPDATE timelift.task SET error = 'broken' WHERE name = 'refresh ohlc_daily'"),
    );
    const failing = async () =>
      (await stack.ask("timelift_job_failing == 1")).map(({ metric }) => [metric.name, metric.scheduler]);
    await expect.poll(failing, { timeout: 20_000 }).toEqual([["refresh ohlc_daily", "pg_cron"]]);
    expect(await stack.ask('timelift_job_failing{name=~".* 3"}')).toEqual([]);
  });

  test("monitoring reads when a row is the newest, and no row", async () => {
    await stack.as("timelift_monitor", async (client) => {
      const { rows } = await client.query("SELECT timelift.newest_row('price_history') AS newest");
      expect(rows[0].newest).toEqual(new Date("2020-06-01"));
      await expect(client.query("SELECT * FROM price_history")).rejects.toMatchObject({ code: "42501" });
      const nothing = await client.query("SELECT timelift.newest_row('stocks') AS newest");
      expect(nothing.rows[0].newest).toBeNull();
    });
  });

  test("a server of others is asked by its address and its names", async () => {
    const names = Object.fromEntries(roles.map((role) => [role, role])) as Record<
      (typeof roles)[number],
      string
    >;
    names.timelift_monitor = "timelift_readonly";
    await stack.native.start(
      postgresExporter({
        ...{ port: stack.exporters[0]?.port as number, upstreamPort: stack.databasePort, database: "app" },
        user: loginOf("timelift_readonly", 1),
        upstream: { host: "localhost", tls: { mode: "disable" }, names },
        queries: renderQueries(stack.queries),
      }),
      { ...stackSecrets, timelift_monitor: stackSecrets.timelift_readonly },
    );
    await expect
      .poll(
        async () => (await stack.ask("timelift_table_behind_seconds")).map(({ metric }) => metric.server),
        {
          timeout: 20_000,
        },
      )
      .toContain(`localhost:${stack.databasePort}`);
  });
});

test.skipIf(noCommunity)(
  `every query is answered by the Community edition${noCommunity ? ` (${noCommunity})` : ""}`,
  async () => {
    const deployed = await DeployedWorkload.make({ name: "stockula", path: "", options: {} }, "community");
    try {
      await deployed.migrate("before-load");
      await deployed.migrate("after-load");
      const client = await connect(deployed.target.connection, "test");
      const freshness = { price_history: eachSession("XNYS") };
      const queries = databaseQueries({
        ...{ edition: "community", workload: "stockula", freshness, expectedUntil: {} },
      });
      try {
        await client.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        for (const { sql, columns } of queries) {
          const { fields } = await client.query(sql);
          expect(fields.map(({ name }) => name)).toEqual(Object.keys(columns));
        }
        const { rows } = await client.query(
          queries.find(({ name }) => name === "timelift_aggregate")?.sql ?? "",
        );
        expect(rows.map((row) => row.realised_as)).toEqual(["native", "native", "native"]);
      } finally {
        await client.end();
      }
    } finally {
      await deployed.remove();
    }
  },
);

describe("how far a table is behind", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await databaseFromTemplate("freshness");
  });
  afterAll(() => database.drop());

  const daily = eachSession("XNYS");
  const cases: [
    title: string,
    freshness: Freshness,
    newest: string | null,
    now: string,
    until: string,
    hours: number | null,
  ][] = [
    ["Friday's row is there on Sunday", daily, "2026-11-20", "2026-11-22 12:00", "", 0],
    ["Monday's row is due at the close, 21:00 UTC in winter", daily, "2026-11-20", "2026-11-23 21:00", "", 0],
    ["and is three hours late at midnight", daily, "2026-11-20", "2026-11-24 00:00", "", 3],
    ["the close is 20:00 UTC in summer", daily, "2026-07-10", "2026-07-14 00:00", "", 4],
    ["Thanksgiving asks for no row", daily, "2026-11-25", "2026-11-27 12:00", "", 0],
    ["the Friday after it does", daily, "2026-11-25", "2026-11-27 22:00", "", 1],
    ["the first missing session counts, not the last", daily, "2026-11-18", "2026-11-24 21:00", "", 5 * 24],
    ["nothing is expected of what ended", daily, "2020-12-31", "2026-11-24 00:00", "2020-12-31", 0],
    ["but until then it is", daily, "2026-11-18", "2026-11-24 21:00", "2026-11-19", 5 * 24],
    ["an empty table says nothing", daily, null, "2026-11-24 00:00", "", null],
    ["rows of every six hours", everyHours(6), "2026-11-24 00:00", "2026-11-24 05:00", "", 0],
    ["and one that did not come", everyHours(6), "2026-11-24 00:00", "2026-11-24 08:00", "", 2],
    [
      "nor is a span expected of what ended",
      everyHours(6),
      "2026-11-24 23:00",
      "2026-11-27 00:00",
      "2026-11-24",
      0,
    ],
  ];
  test.each(cases)("%s", async (_title, freshness, newest, now, until, hours) => {
    const moment = (text: string | null) =>
      text === null ? "NULL::timestamptz" : `timestamptz '${text}+00'`;
    const client = await connect(database.readonly, "test");
    try {
      const table = { freshness, newest: moment(newest), ...(until && { until }) };
      const { rows } = await client.query(`SELECT ${behindSql(table, moment(now))}::float8 / 3600 AS hours`);
      expect(rows[0].hours).toBe(hours);
    } finally {
      await client.end();
    }
  });
});

test.each([
  { stack: "dev", workload: "stockula", table: "price_history", time: "date" },
  { stack: "dev-forward-factor", workload: "forward-factor", table: "signals", time: "as_of_ts" },
  {
    stack: "dev-forward-factor",
    workload: "forward-factor",
    table: "option_chain_snapshots",
    time: "as_of_ts",
  },
])("the demo's stack $stack expects no row of $table after its sample's last", async (each) => {
  const file = join(mkdtempSync(join(tmpdir(), "timelift-sample-")), "sample.db");
  await (await findSample(each.workload))(file);
  const sample = new Database(file, { readonly: true });
  const last = sample.prepare(`SELECT date(max(${each.time})) FROM ${each.table}`).pluck().get();
  sample.close();
  rmSync(dirname(file), { recursive: true });
  const config = readFileSync(join(import.meta.dirname, `../Pulumi.${each.stack}.yaml`), "utf8");
  expect(new RegExp(`\\b${each.table}: "([^"]+)"`).exec(config)?.[1]).toBe(last);
});
