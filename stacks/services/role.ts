/**
 * The database's login roles. Nothing but the server's bootstrap connects as a superuser.
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

/** The passwords of a stack: those of the database's roles and of Redis. Printable ASCII only. */
export interface Secrets extends Record<Role | (typeof redisSecrets)[number], string> {
  /** Receiver of alerts -> its URL, key or password, as JSON, where there is one. */
  receivers?: string;
  /** Password of Grafana's user admin, where there is one. */
  grafana?: string;
  /** PEM of the authorities by which Grafana and the exporters know the stack's servers, where they ask for that. */
  databaseAuthority?: string;
}
