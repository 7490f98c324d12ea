import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSample } from "../cli/sample/forward-factor.ts";
import type { Connection } from "../loaders/connection.ts";
import { runLoad } from "../loaders/run-load.ts";
import { migrate } from "../migrations/migrate.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { findWorkload } from "../stacks/workload.ts";
import { runPython } from "./application/python.ts";
import { freePorts, NativeStack } from "./native-stack.ts";
import { databaseFromTemplate, type TestDatabase, testSecrets } from "./postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-application-"));
const stack = new NativeStack();
let database: TestDatabase;
let owner: pg.Client;
let pooled: Connection;

beforeAll(async () => {
  const source = join(folder, "app.db");
  await buildSample(source);
  database = await databaseFromTemplate("application");
  const { name, loader, migrationsDir, context } = await findWorkload({
    name: "forward-factor",
    path: "",
    options: {},
  });
  const phase = (phase: "before-load" | "after-load") =>
    migrate({ target: database.owner, workloadDir: migrationsDir, phase, context }, () => {});
  await phase("before-load");
  const copyPath = join(folder, "copy.db");
  await runLoad({ workload: name, loader, source, copyPath, target: database.loader });
  await phase("after-load");
  owner = new pg.Client({ ...database.owner });
  await owner.connect();
  const [port = 0] = await freePorts(1);
  const pool = pgbouncer({ port, upstreamPort: database.app.port, database: database.name });
  await stack.start(pool, testSecrets);
  pooled = { ...database.app, port };
});

afterAll(async () => {
  await stack.remove();
  await owner?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const url = ({ user, password, host, port, database }: Connection) =>
  `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;

async function application<Report>(script: string, ...args: string[]): Promise<Report> {
  return JSON.parse(await runPython(script, url(database.app), { pooledUrl: url(pooled), args })) as Report;
}

/** Rows of each table that an application writes to. */
async function counts(): Promise<Record<string, number>> {
  const tables = [
    ...["users", "telegram_chats", "user_settings", "subscriptions", "master_tickers"],
    ...["signals", "option_chain_snapshots", "signal_user_decisions", "ohlcv_bars"],
  ];
  const query = tables.map((table) => `SELECT '${table}' AS name, count(*)::int AS rows FROM ${table}`);
  const { rows } = await owner.query<{ name: string; rows: number }>(query.join(" UNION ALL "));
  return Object.fromEntries(rows.map(({ name, rows }) => [name, rows]));
}

const loaded = {
  ...{ users: 12, telegram_chats: 8, user_settings: 12, subscriptions: 37, master_tickers: 9 },
  ...{ signals: 6000, option_chain_snapshots: 2000, signal_user_decisions: 800, ohlcv_bars: 0 },
};

test("the load brought every row, each decision with its signal's time", async () => {
  expect(await counts()).toEqual(loaded);
  const { rows } = await owner.query(
    `SELECT count(*)::int AS rows FROM signal_user_decisions d
     JOIN signals s ON s.id = d.signal_id AND s.as_of_ts = d.signal_as_of_ts`,
  );
  expect(rows).toEqual([{ rows: 800 }]);
});

test("TimescaleDB's own views show hypertables with one dimension and chunks of a day", async () => {
  const { rows } = await owner.query(
    `SELECT h.hypertable_name AS name, h.num_dimensions::int AS dimensions, d.column_name AS column,
       d.time_interval = interval '1 day' AS daily
     FROM timescaledb_information.hypertables h JOIN timescaledb_information.dimensions d USING (hypertable_name)
     WHERE h.hypertable_schema = 'public' AND h.hypertable_name IN ('signals', 'option_chain_snapshots') ORDER BY 1`,
  );
  expect(rows).toEqual(
    ["option_chain_snapshots", "signals"].map((name) => ({
      ...{ name, dimensions: 1, column: "as_of_ts", daily: true },
    })),
  );
});

test("the application lives a day directly and another through the pooler, and leaves nothing behind", async () => {
  const oneDay = {
    // Hours of the sample's last day in which a ticker had a signal.
    hours: expect.any(Number),
    signals: 30,
    decisions: 30,
    queries: 5,
    refused: ["23505", "23505", "23505", "23503", "23503", "23503", "23503"],
    updated: 3,
    concurrent: { signals: 200, ohlcv_bars: 200, signal_user_decisions: 200 },
    winners: 1,
    deleted: 1,
    cascades: 4,
  };
  const report = await application<Record<string, { hours: number }>>("forward_factor.py");
  expect(report).toEqual({ direct: oneDay, pooled: oneDay });
  expect(report.direct?.hours).toBeGreaterThan(24);
  expect(report.pooled?.hours).toBe(report.direct?.hours);
  expect(await counts()).toEqual(loaded);
});

test("eight writers through the pooler, for a minute: no error, no row lost", async () => {
  type Report = Record<"writers" | "least" | "signals" | "bars", number>;
  const report = await application<Report>("concurrent_writers.py", "60");
  expect(report.writers).toBe(8);
  expect(report.least).toBeGreaterThan(0);
  expect(report.signals).toBeGreaterThanOrEqual(8 * report.least);
  expect(report.bars).toBe(report.signals);
  expect(await counts()).toEqual(loaded);
}, 300_000);
