import { join } from "node:path";
import type pg from "pg";
import { connect } from "../loaders/connection.ts";
import { eachSession, type Freshness } from "../loaders/freshness.ts";
import { migrate } from "../migrations/migrate.ts";
import { databaseQueries } from "../stacks/monitoring/database-queries.ts";
import { type MetricQuery, renderQueries } from "../stacks/monitoring/query.ts";
import {
  nodeExporter,
  pgbouncerExporter,
  postgresExporter,
  redisExporter,
} from "../stacks/services/exporters.ts";
import { loginOf } from "../stacks/services/login.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { type PrometheusArgs, prometheus, scrapeOf } from "../stacks/services/prometheus.ts";
import { redis } from "../stacks/services/redis.ts";
import type { Role } from "../stacks/services/role.ts";
import type { PrometheusDeclaration, ServiceDeclaration } from "../stacks/services/service.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { asRole, freePorts, NativeStack, stackSecrets } from "./native-stack.ts";

const migrations = join(import.meta.dirname, "../migrations/stockula");

/** One sample of an answer of Prometheus. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** The stack of stockula with what watches it, with few rows and short times, without Pulumi. */
export class MonitoredStack {
  readonly native = new NativeStack();
  readonly services: Record<"timescaledb" | "pgbouncer" | "redis", ServiceDeclaration>;
  readonly exporters: ServiceDeclaration[];
  readonly ports: number[];
  readonly queries: MetricQuery[];

  private constructor(ports: number[], freshness: Freshness) {
    this.ports = ports;
    this.queries = databaseQueries({
      ...{ edition: "apache", workload: "stockula", expectedUntil: {} },
      freshness: { price_history: freshness },
    });
    const [database = 0, pool = 0, cache = 0, ofDatabase = 0, ofPool = 0, ofCache = 0, ofMachine = 0] = ports;
    this.services = {
      timescaledb: timescaledb({ port: database, database: "app", memoryMb: 512 }),
      pgbouncer: pgbouncer({ port: pool, upstreamPort: database, database: "app" }),
      redis: redis({ port: cache }),
    };
    const user = loginOf("timelift_monitor", 1);
    this.exporters = [
      postgresExporter({
        ...{ port: ofDatabase, upstreamPort: database, database: "app", user },
        // Answers of a minute ago are of no use to a test.
        queries: renderQueries(this.queries.map((query) => ({ ...query, cacheSeconds: 0 }))),
      }),
      pgbouncerExporter({ port: ofPool, poolPort: pool, user }),
      redisExporter({ port: ofCache, cachePort: cache }),
      nodeExporter({ port: ofMachine }),
    ];
  }

  /** Starts the services, makes the tables, and then starts the exporters. */
  static async start(freshness: Freshness = eachSession("XNYS")): Promise<MonitoredStack> {
    const stack = new MonitoredStack(await freePorts(9), freshness);
    for (const service of Object.values(stack.services)) await stack.native.start(service);
    const target = {
      ...{ host: "127.0.0.1", port: stack.databasePort, database: "app" },
      ...{ user: loginOf("timelift_owner", 1), password: stackSecrets.timelift_owner },
    };
    for (const phase of ["before-load", "after-load"] as const) {
      await migrate(
        { target, workloadDir: migrations, phase, context: { options: {}, edition: "apache" } },
        () => {},
      );
    }
    for (const exporter of stack.exporters) await stack.native.start(exporter);
    return stack;
  }

  get databasePort(): number {
    return this.services.timescaledb.port;
  }
  get alertmanagerPort(): number {
    return this.ports[8] as number;
  }
  get prometheusPort(): number {
    return this.ports[7] as number;
  }

  /** A Prometheus that reads all exporters every second. */
  prometheus(more: Partial<PrometheusArgs> = {}): PrometheusDeclaration {
    return prometheus({
      ...{ port: this.prometheusPort, intervalSeconds: 1, labels: { stack: "test" } },
      scrape: this.exporters.map(scrapeOf),
      ...more,
    });
  }

  /** What an expression gives now. */
  async ask(expression: string): Promise<Sample[]> {
    const url = `http://127.0.0.1:${this.prometheusPort}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { status, data, error } = (await (await fetch(url)).json()) as {
      status: string;
      error?: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (status !== "success") throw new Error(`${expression}: ${error}`);
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Runs work as a role, directly. */
  as<T>(role: Role, work: (client: pg.Client) => Promise<T>): Promise<T> {
    return asRole(this.databasePort, role, work);
  }

  /** A connection that stays open. */
  connect(user: Role): Promise<pg.Client> {
    const at = { host: "127.0.0.1", port: this.databasePort, database: "app" };
    return connect({ ...at, user, password: stackSecrets[user] }, "test");
  }

  /** A price at a moment, e.g. a day as YYYY-MM-DD. */
  async addPrice(at: string, symbol = "T"): Promise<void> {
    await this.as("timelift_loader", async (client) => {
      await client.query("INSERT INTO stocks (symbol, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", [
        symbol,
      ]);
      await client.query(
        `INSERT INTO price_history (symbol, time, open, high, low, close, volume)
         VALUES ($1, $2, 1, 2, 1, 2, 3) ON CONFLICT DO NOTHING`,
        [symbol, at],
      );
    });
  }

  remove(): Promise<void> {
    return this.native.remove();
  }
}
