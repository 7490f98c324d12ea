import * as pulumi from "@pulumi/pulumi";
import type { LoaderDefinition } from "../../loaders/define-loader.ts";
import type { StackConfig } from "../config.ts";
import { onlyServices, type Platform, type Service } from "../platforms/platform.ts";
import { declaredReceivers, receiverSecrets } from "../receiver-config.ts";
import { alertmanager } from "../services/alertmanager.ts";
import { nodeExporter, pgbouncerExporter, postgresExporter, redisExporter } from "../services/exporters.ts";
import { prometheus, scrapeOf } from "../services/prometheus.ts";
import type { Role, Secrets } from "../services/role.ts";
import type { ServiceDeclaration } from "../services/service.ts";
import { applicationLogins } from "./application-logins.ts";
import { databaseQueries } from "./database-queries.ts";
import { exporterQueries } from "./own-queries.ts";
import { renderQueries } from "./query.ts";
import { ruleFiles } from "./rule-files.ts";

/** What is watched. */
export interface MonitorArgs {
  config: StackConfig;
  /** Name of the workload, and what it says of its tables. */
  workload: string;
  loader: LoaderDefinition;
  /** The name by which each role logs in. */
  names: Record<Role, string>;
  /** Passwords of the database, and those of the cache. */
  passwords: pulumi.Input<Partial<Secrets>>;
  cachePasswords: pulumi.Input<Partial<Secrets>>;
  timescale: Service;
  pooler: Service | undefined;
  cache: Service | undefined;
}

/** The services that watch the others, those of them that the config chooses and that have something to watch. */
export function monitor(
  platform: Platform,
  args: MonitorArgs,
): Partial<Record<ServiceDeclaration["name"], Service>> {
  const { config, workload, loader, names, passwords, cachePasswords, timescale, pooler, cache } = args;
  const { ports, external, database, edition, stack, services } = config;
  const beside = onlyServices(platform, services);
  const upstream = external && { host: external.host, tls: external.tls, names };
  const { alerts } = config;
  const queries = [
    ...databaseQueries({ edition, workload, freshness: loader.freshness, ...alerts }),
    ...exporterQueries(),
  ];
  const ofDatabase = postgresExporter({
    ...{ port: ports["postgres-exporter"], upstreamPort: external?.port ?? ports.timescaledb },
    ...{ upstream, database, user: names.timelift_monitor, queries: renderQueries(queries) },
    ...(!external && timescale.tls && { sslmode: timescale.tls.mode }),
  });
  const ofPool = pgbouncerExporter({
    ...{ port: ports["pgbouncer-exporter"], poolPort: ports.pgbouncer, user: names.timelift_monitor },
    ...(pooler?.tls && { sslmode: pooler.tls.mode }),
  });
  const ofCache = redisExporter({ port: ports["redis-exporter"], cachePort: ports.redis });
  const ofMachine = nodeExporter({ port: ports["node-exporter"] });

  const exporters: [ServiceDeclaration, Service | undefined, pulumi.Input<Partial<Secrets>>][] = [
    [ofDatabase, timescale, passwords],
    [ofPool, pooler, passwords],
    [ofCache, cache, cachePasswords],
    [ofMachine, timescale.external ? undefined : timescale, {}],
  ];
  const watching = exporters.filter(
    ([{ name }, watched]) => services.includes(name) && watched !== undefined,
  );
  const made = watching.map(([declaration, watched, secrets]) => [
    declaration.name,
    beside(declaration, withAuthority(secrets, watched), watched && [watched]),
  ]);
  const scraped = watching.map(([declaration]) => scrapeOf(declaration));
  const rules = ruleFiles(alerts, { database, applications: applicationLogins(names) });
  const { intervalSeconds } = alerts;
  const told = alertmanager({
    ...{ port: ports.alertmanager, receivers: declaredReceivers(config.receivers), intervalSeconds },
  });
  const receivers = receiverSecrets(config.receivers);
  const alerting = beside(told, receivers === undefined ? {} : pulumi.secret({ receivers }));
  const scrape = [...scraped, ...(alerting ? [scrapeOf(told)] : [])];
  const taken = alerting && { alertmanager: told };
  const metrics = beside(
    prometheus({
      port: ports.prometheus,
      labels: { stack },
      ...{ intervalSeconds, scrape, rules, ...taken },
    }),
    {},
  );
  return { ...Object.fromEntries(made), alertmanager: alerting, prometheus: metrics };
}

/** The stack's secrets with what a watched service is known by. */
function withAuthority(
  secrets: pulumi.Input<Partial<Secrets>>,
  watched: Service | undefined,
): pulumi.Input<Partial<Secrets>> {
  const authority = watched?.authority;
  if (authority === undefined) return secrets;
  return pulumi.secret(
    pulumi.all([secrets, authority]).apply(([known, databaseAuthority]) => ({ ...known, databaseAuthority })),
  );
}
