/**
 * The database's roles. Nothing but the server's bootstrap connects as a superuser, and nobody as one of these: each has
 * two logins (`login.ts`), which act as it.
 *
 * - `timelift_owner` owns the database and its tables and runs migrations.
 * - `timelift_loader` reads and writes rows, sets sequences, and owns the schema `timelift` (its ledger).
 * - `timelift_app` reads and writes rows; it creates nothing.
 * - `timelift_readonly` reads rows.
 * - `timelift_monitor` reads statistics (pg_monitor), no rows.
 */
export const roles = [
  "timelift_owner",
  "timelift_loader",
  "timelift_app",
  "timelift_readonly",
  "timelift_monitor",
] as const;
export type Role = (typeof roles)[number];

/** The roles that applications, people and, for its statistics, monitoring use at the pool. */
export const pooledRoles: Role[] = [
  "timelift_app",
  "timelift_readonly",
  "timelift_owner",
  "timelift_monitor",
];

/** The schema that the loader owns. */
export const loaderSchema = "timelift";

/** Passwords of Redis: the applications', and the exporter's. */
export const redisSecrets = ["redis", "redis_monitor"] as const;
export type RedisSecret = (typeof redisSecrets)[number];

/** Passwords: of each database role, for the login that serves it, and of Redis. Printable ASCII only. */
export type Passwords = Record<Role | RedisSecret, string>;

/** The passwords of a stack. */
export interface Secrets extends Passwords {
  /** Of the generation before, which are still valid. @default there was none */
  previous?: Record<Role, string>;
  /** Receiver of alerts -> its URL, key or password, as JSON, where there is one. */
  receivers?: string;
  /** Password of Grafana's user admin, where there is one. */
  grafana?: string;
  /** PEM of the authorities by which Grafana and the exporters know the stack's servers, where they ask for that. */
  databaseAuthority?: string;
}

/** The name of a secret that is a text. */
export type SecretName = Exclude<keyof Secrets, "previous">;
