import * as pulumi from "@pulumi/pulumi";
import { postgresUrl, redisUrl as urlOfRedis } from "./stacks/connection-url.ts";
import { databaseThrough } from "./stacks/database-through.ts";
import { loginNames, stackSecrets } from "./stacks/logins.ts";
import { monitor } from "./stacks/monitoring/monitor.ts";
import { showDashboards } from "./stacks/monitoring/show-dashboards.ts";
import { choosePlatform } from "./stacks/platforms/choose-platform.ts";
import { addressOf, endpointOf, onlyServices } from "./stacks/platforms/platform.ts";
import { Migrations } from "./stacks/resources/migrations.ts";
import { SqliteLoad } from "./stacks/resources/sqlite-load.ts";
import { Validation } from "./stacks/resources/validation.ts";
import { readConfig } from "./stacks/running-config.ts";
import { pgbouncer } from "./stacks/services/pgbouncer.ts";
import { redis } from "./stacks/services/redis.ts";
import { timescaledb } from "./stacks/services/timescaledb.ts";
import { withContents } from "./stacks/with-contents.ts";
import { findWorkload, workloadReference } from "./stacks/workload.ts";

const config = readConfig();
const { database, ports, source, edition, hypertables, memoryMb, cpus, external } = config;
const { roles: limits, extensions } = config;
const { dropRows, protect, migrateTo: to, passwordGeneration: generation } = config;
const stateDir = `.timelift/${config.stack}`;
const workload = workloadReference(config);
const found = await findWorkload(workload);

const names = loginNames(external, generation);
const { database: passwords, cache: cachePasswords, generations } = stackSecrets(external, generation);
const platform = await choosePlatform(config, stateDir);
const beside = onlyServices(platform, config.services);

const contents = { database, generation, limits, extensions, through: databaseThrough(config) };
const server = platform.service(
  timescaledb({ port: ports.timescaledb, edition, memoryMb, cpus, ...contents }),
  passwords,
);
const timescale = await withContents(server, { ...contents, passwords: generations });
const pooler = beside(
  pgbouncer({
    ...{ port: ports.pgbouncer, upstreamPort: external?.port ?? ports.timescaledb, database, generation },
    upstream: external && { host: external.host, tls: external.tls, names },
  }),
  passwords,
  [timescale],
);
const cache = beside(redis({ port: ports.redis, ...config.redis }), cachePasswords);
const watching = monitor(platform, {
  ...{ config, workload: found.name, loader: found.loader, names, passwords, cachePasswords },
  ...{ timescale, pooler, cache },
});
const metrics = watching.prometheus;

const target = endpointOf(timescale, database);
const shown = await showDashboards({
  ...{ config, platform, workload: found, target, timescale, prometheus: metrics },
  ...{ reader: names.timelift_readonly, secrets: passwords },
});
const data = { source, workload, target, stateDir };
const schema = {
  ...{ workload, edition, hypertables, target, to, dropRows, protect },
  ...{ user: names.timelift_owner, password: passwords.timelift_owner },
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
  user: names.timelift_loader,
  password: passwords.timelift_loader,
  tables: tables.applied,
  held: tables.held,
});
const keys = new Migrations("keys", { phase: "after-load", ...schema, loaded: load.loaded });
const validation = new Validation("validation", {
  ...data,
  user: names.timelift_readonly,
  password: passwords.timelift_readonly,
  recorder: { user: names.timelift_loader, password: passwords.timelift_loader },
  loaded: load.loaded,
  after: keys.applied,
  ...{ realised: keys.realised, edition, hypertables },
  held: keys.held,
  when: config.validate,
  thresholds: config.thresholds,
});

export const databaseUrl = postgresUrl(
  endpointOf(pooler ?? timescale, database),
  names.timelift_app,
  passwords.timelift_app,
);
export const directUrl = postgresUrl(target, names.timelift_owner, passwords.timelift_owner);
export const authority = (pooler ?? timescale).authority ?? null;
export const redisUrl = cache ? urlOfRedis(cache, cachePasswords.redis) : null;
export const prometheusUrl = metrics ? `http://${metrics.host}:${metrics.port}` : null;
export const endpoints = {
  timescaledb: addressOf(timescale),
  pgbouncer: addressOf(pooler),
  redis: addressOf(cache),
  ...Object.fromEntries(
    Object.entries({ ...watching, grafana: shown.grafana }).map(([name, service]) => [
      name,
      addressOf(service),
    ]),
  ),
};
export const grafanaUrl = shown.url;
export const grafanaPassword = shown.password;
export const dashboards = shown.dashboards;
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
  pgbouncer: pooler?.version,
  redis: cache?.version,
  ...Object.fromEntries(Object.entries(watching).map(([name, service]) => [name, service?.version])),
  grafana: shown.grafana?.version,
};
