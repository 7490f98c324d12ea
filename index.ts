import * as pulumi from "@pulumi/pulumi";
import { postgresUrl, redisUrl as urlOfRedis } from "./stacks/connection-url.ts";
import { choosePlatform } from "./stacks/platforms/choose-platform.ts";
import { Credentials } from "./stacks/resources/credentials.ts";
import { Migrations } from "./stacks/resources/migrations.ts";
import { SqliteLoad } from "./stacks/resources/sqlite-load.ts";
import { Validation } from "./stacks/resources/validation.ts";
import { readConfig } from "./stacks/running-config.ts";
import { pgbouncer } from "./stacks/services/pgbouncer.ts";
import { prometheus } from "./stacks/services/prometheus.ts";
import { redis } from "./stacks/services/redis.ts";
import { timescaledb } from "./stacks/services/timescaledb.ts";
import { findWorkload, workloadReference } from "./stacks/workload.ts";

const config = readConfig();
const { database, ports, source, edition, hypertables, memoryMb, cpus } = config;
const { dropRows, protect, migrateTo: to } = config;
const stateDir = `.timelift/${config.stack}`;
const workload = workloadReference(config);
await findWorkload(workload);

const { passwords } = new Credentials("credentials");
const platform = await choosePlatform(config, stateDir);

const timescale = platform.service(
  timescaledb({ port: ports.timescaledb, database, edition, memoryMb, cpus }),
  passwords,
);
const pooler = platform.service(
  pgbouncer({ port: ports.pgbouncer, upstreamPort: ports.timescaledb, database }),
  passwords,
  [timescale],
);
const cache = platform.service(redis({ port: ports.redis }), passwords);
const metrics = platform.service(prometheus({ port: ports.prometheus }), passwords);

const target = { host: timescale.host, port: timescale.port, database };
const data = { source, workload, target, stateDir };
const schema = {
  ...{ workload, edition, hypertables, target, to, dropRows, protect },
  password: passwords.timelift_owner,
};

const tables = new Migrations(
  "tables",
  { phase: "before-load", ...schema },
  { dependsOn: timescale.resource },
);
const load = new SqliteLoad("load", {
  ...data,
  maxRejects: config.maxRejects,
  hypertables,
  password: passwords.timelift_loader,
  tables: tables.applied,
  held: tables.held,
});
const keys = new Migrations("keys", { phase: "after-load", ...schema, loaded: load.loaded });
const validation = new Validation("validation", {
  ...data,
  password: passwords.timelift_readonly,
  loaded: load.loaded,
  after: keys.applied,
  ...{ realised: keys.realised, edition, hypertables },
  held: keys.held,
  when: config.validate,
  thresholds: config.thresholds,
});

export const databaseUrl = postgresUrl(
  { ...target, host: pooler.host, port: pooler.port },
  "timelift_app",
  passwords.timelift_app,
);
export const directUrl = postgresUrl(target, "timelift_owner", passwords.timelift_owner);
export const redisUrl = urlOfRedis(cache, passwords.redis);
export const prometheusUrl = `http://${metrics.host}:${metrics.port}`;
export const rows = load.rows;
export const loaded = load.summary;
export const realised = pulumi
  .all([tables.realised, keys.realised])
  .apply(([before, after]) => ({ ...before, ...after }));
export const validated = validation.status;
export const checks = validation.lines;
export const report = validation.report;
export const reportPage = validation.page;
export const versions = {
  timescaledb: timescale.version,
  pgbouncer: pooler.version,
  redis: cache.version,
  prometheus: metrics.version,
};
