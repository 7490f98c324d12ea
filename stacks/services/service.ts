import type { Tls } from "../../loaders/tls.ts";
import type { Edition } from "../../migrations/edition.ts";
import type { DatabasePlan } from "../database-plan.ts";
import type { GroundPlan } from "../ground-plan.ts";
import type { DeclaredReceivers } from "./alertmanager.ts";
import type { Role } from "./role.ts";

/** The services that a stack can have; also the names of their folders, config keys and log files. */
export const serviceNames = [
  "timescaledb",
  "pgbouncer",
  "redis",
  "postgres-exporter",
  "pgbouncer-exporter",
  "redis-exporter",
  "node-exporter",
  "alertmanager",
  "prometheus",
  "grafana",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** One value of a service's own configuration, under the service's own name for it. */
export type Setting = string | number | boolean;

interface DeclarationOf<Name extends ServiceName> {
  name: Name;
  /** The oldest version of the program that will do, as `major.minor`. */
  version: { minimum: string };
  /** TCP port on 127.0.0.1. */
  port: number;
  /** Memory that it may take, in MB (2^20 bytes): the limit of a container, nothing to an ordinary process. */
  memoryMb: number;
  /** The service's own settings, by its own names. */
  settings: Record<string, Setting>;
  /** Configuration files by name, complete, where settings alone cannot say it. */
  files?: Record<string, string>;
  /** The question whose answer means healthy, and how long a start may take. */
  health: { timeoutSeconds: number };
}

/** Who may log in over the network, and where. */
export interface AccessRule {
  /** A role, whose members may too, or every role but the superuser. */
  role: Role | "all";
  databases: string[] | "all";
}

/** A PostgreSQL server with TimescaleDB; `version` is TimescaleDB's. */
export interface TimescaleDbDeclaration extends DeclarationOf<"timescaledb"> {
  /** Major versions of PostgreSQL that will do, both included. */
  postgres: { minimum: number; maximum: number };
  /** What its licence allows; the community edition asks for a build that has it. */
  edition: Edition;
  /** The application's database. */
  database: string;
  /** Whoever is not named here is refused, and the superuser always is. */
  access: AccessRule[];
  /** What is inside: roles, extensions, privileges; or what of it timelift makes where the plugin makes the rest. */
  contents: DatabasePlan | GroundPlan;
  health: { timeoutSeconds: number; query: string; role: Role };
}

/** A database server of others, behind a pool. */
export interface ExternalUpstream {
  host: string;
  tls: Tls;
  /** The name by which each role logs in there. */
  names: Record<Role, string>;
}

/** A PgBouncer in front of one database. */
export interface PgBouncerDeclaration extends DeclarationOf<"pgbouncer"> {
  /** Port of the database server behind it, on 127.0.0.1 unless `upstream` says otherwise. */
  upstreamPort: number;
  /** Where that server is not the stack's own. */
  upstream?: ExternalUpstream;
  database: string;
  /** Database roles that may come through the pool; those of the stack's own server do by their logins. */
  users: Role[];
  /** Number of the passwords in use, which says which login serves a role. */
  generation: number;
  health: { timeoutSeconds: number; query: string; role: Role };
}

export interface RedisDeclaration extends DeclarationOf<"redis"> {
  health: { timeoutSeconds: number; command: "PING" };
}

interface HttpDeclarationOf<Name extends ServiceName> extends DeclarationOf<Name> {
  health: { timeoutSeconds: number; path: string };
}

/** A database that an exporter asks, as `timelift_monitor`. */
export interface PostgresExporterDeclaration extends HttpDeclarationOf<"postgres-exporter"> {
  /** Port of the database server, on 127.0.0.1 unless `upstream` says otherwise. */
  upstreamPort: number;
  /** Where that server is not the stack's own. */
  upstream?: ExternalUpstream;
  database: string;
  /** The name by which it logs in. */
  user: string;
  /** How the stack's own server is spoken with. @default plain text */
  sslmode?: Tls["mode"];
}

/** A pool whose console an exporter asks, as `timelift_monitor`. */
export interface PgBouncerExporterDeclaration extends HttpDeclarationOf<"pgbouncer-exporter"> {
  /** Port of the pool. */
  poolPort: number;
  /** The name by which it logs in. */
  user: string;
  /** How the pool is spoken with. @default plain text */
  sslmode?: Tls["mode"];
}

/** A cache that an exporter asks. */
export interface RedisExporterDeclaration extends HttpDeclarationOf<"redis-exporter"> {
  /** Port of the cache. */
  cachePort: number;
  /** The name by which it logs in. */
  user: string;
}

/** The disk that holds the services' data, and what timelift's commands leave in text files. */
export type NodeExporterDeclaration = HttpDeclarationOf<"node-exporter">;

/** Targets that one job of Prometheus reads metrics from. */
export interface ScrapeJob {
  /** Name of the job, the `job` label of its metrics. */
  job: string;
  /**
   * The stack's services that are its targets.
   * @default none
   */
  services?: { name: ServiceName; port: number }[];
  /**
   * Addresses of others, as `host:port`.
   * @default none
   */
  targets?: string[];
}

/** What takes the alerts and tells people. */
export interface AlertmanagerDeclaration extends HttpDeclarationOf<"alertmanager"> {
  /** Who is told of what; URLs, keys and passwords are secrets of the stack. */
  receivers: DeclaredReceivers;
  /** How long the first alert of a group waits for others, and the next message for more, in seconds. */
  groupWaitSeconds: number;
  groupIntervalSeconds: number;
}

export interface PrometheusDeclaration extends HttpDeclarationOf<"prometheus"> {
  /** How often metrics are read, in seconds. */
  intervalSeconds: number;
  /** Labels that every sample gets, by which stacks are told apart. */
  labels: Record<string, string>;
  scrape: ScrapeJob[];
  /** What takes its alerts. @default nothing: they are on its own page */
  alertmanager?: { name: ServiceName; port: number };
}

/** A Grafana whose data sources and dashboards are files. */
export interface GrafanaDeclaration extends HttpDeclarationOf<"grafana"> {
  /** The database that panels ask, as the role that reads. */
  source: {
    /** Where it is not the stack's own. */
    host?: string;
    port: number;
    database: string;
    user: string;
    /** As PostgreSQL's clients know it. */
    sslmode: Tls["mode"];
  };
  /** Port of the stack's Prometheus, where it has one. */
  prometheusPort?: number;
  /** Name -> JSON. */
  dashboards: Record<string, string>;
}

/**
 * What a service is, apart from where it runs: plain data that survives JSON, with no password, no path of a
 * machine and no time in it. It becomes a resource's input, so a difference here is what decides an update.
 */
export type ServiceDeclaration =
  | TimescaleDbDeclaration
  | PgBouncerDeclaration
  | RedisDeclaration
  | PostgresExporterDeclaration
  | PgBouncerExporterDeclaration
  | RedisExporterDeclaration
  | NodeExporterDeclaration
  | AlertmanagerDeclaration
  | PrometheusDeclaration
  | GrafanaDeclaration;
