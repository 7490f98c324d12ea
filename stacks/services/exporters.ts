import type { Tls } from "../../loaders/tls.ts";
import { redisUsers } from "./redis-users.ts";
import type {
  ExternalUpstream,
  NodeExporterDeclaration,
  PgBouncerExporterDeclaration,
  PostgresExporterDeclaration,
  RedisExporterDeclaration,
} from "./service.ts";

const health = { path: "/metrics", timeoutSeconds: 30 };

/** Which database an exporter asks, and where it listens. */
export interface PostgresExporterArgs {
  /** TCP port on 127.0.0.1. */
  port: number;
  /** Port of the database server on 127.0.0.1, or on the host of `upstream`. */
  upstreamPort: number;
  /**
   * The server of others that it asks.
   * @default the stack's own
   */
  upstream?: ExternalUpstream;
  database: string;
  /** Who it logs in as: a login of timelift_monitor, or the one of an external server that stands for it. */
  user: string;
  /**
   * How the stack's own server is spoken with; what it is known by is the secret `databaseAuthority`.
   * @default plain text
   */
  sslmode?: Tls["mode"];
  /** What it asks beside its own questions: the text of its file of queries. */
  queries: string;
}

/**
 * Metrics of the database. What it would say of every table is off: each chunk is one. So are the server's settings.
 */
export function postgresExporter(args: PostgresExporterArgs): PostgresExporterDeclaration {
  const { port, upstreamPort, upstream, database, user, queries, sslmode } = args;
  return {
    name: "postgres-exporter",
    version: { minimum: "0.15" },
    port,
    memoryMb: 64,
    ...{ upstreamPort, database, user },
    ...(upstream && { upstream }),
    ...(sslmode && { sslmode }),
    settings: {
      "collector.stat_user_tables": false,
      "collector.statio_user_tables": false,
      "disable-settings-metrics": true,
      "log.level": "warn",
    },
    // It looks for the second, and warns where there is none.
    files: { "queries.yaml": queries, "postgres_exporter.yml": "{}\n" },
    health,
  };
}

/** Metrics of the pool, from its console. */
export function pgbouncerExporter(args: {
  /** TCP port on 127.0.0.1. */
  port: number;
  poolPort: number;
  /** Who it logs in as: a login of timelift_monitor, or the one of an external server that stands for it. */
  user: string;
  /**
   * How the pool is spoken with; what it is known by is the secret `databaseAuthority`.
   * @default plain text
   */
  sslmode?: Tls["mode"];
}): PgBouncerExporterDeclaration {
  const { port, poolPort, user, sslmode } = args;
  return {
    name: "pgbouncer-exporter",
    version: { minimum: "0.9" },
    port,
    memoryMb: 64,
    ...{ poolPort, user },
    ...(sslmode && { sslmode }),
    settings: { "log.level": "warn" },
    health,
  };
}

/** Metrics of the cache; of no key and no client. */
export function redisExporter(args: {
  /** TCP port on 127.0.0.1. */
  port: number;
  cachePort: number;
  /** @default timelift_monitor, who can read no key */
  user?: string;
}): RedisExporterDeclaration {
  const { port, cachePort, user = redisUsers.monitor } = args;
  return {
    name: "redis-exporter",
    version: { minimum: "1.45" },
    port,
    memoryMb: 64,
    ...{ cachePort, user },
    settings: { "redis-only-metrics": true, "exclude-latency-histogram-metrics": true },
    health,
  };
}

/** Metrics of the disk that holds the services' data, and what commands leave in text files. */
export function nodeExporter(args: {
  /** TCP port on 127.0.0.1. */
  port: number;
}): NodeExporterDeclaration {
  return {
    name: "node-exporter",
    version: { minimum: "1.5" },
    port: args.port,
    memoryMb: 64,
    settings: {
      "collector.disable-defaults": true,
      "collector.filesystem": true,
      "collector.textfile": true,
      "log.level": "warn",
    },
    health,
  };
}
