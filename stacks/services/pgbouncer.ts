import { bothLogins } from "./login.ts";
import { pooledRoles, type Role } from "./role.ts";
import type { ExternalUpstream, PgBouncerDeclaration } from "./service.ts";

/** Which database a pool stands in front of, and for whom. */
export interface PgBouncerArgs {
  /** TCP port on 127.0.0.1 that applications use. */
  port: number;
  /** Port of the database server on 127.0.0.1, or on the host of `upstream`. */
  upstreamPort: number;
  /**
   * The server of others that the pool stands in front of.
   * @default the stack's own
   */
  upstream?: ExternalUpstream;
  /** The one database that can be reached through the pool. */
  database: string;
  /**
   * Database roles that may come through it.
   * @default timelift_app, timelift_readonly, timelift_owner, and timelift_monitor for the console's statistics
   */
  users?: Role[];
  /** Number of the passwords in use. @default 1 */
  generation?: number;
}

/** A connection pool in transaction mode: many clients, few server connections, prepared statements kept. */
export function pgbouncer(args: PgBouncerArgs): PgBouncerDeclaration {
  return {
    name: "pgbouncer",
    // The first that keeps prepared statements apart in transaction pooling.
    version: { minimum: "1.21" },
    port: args.port,
    memoryMb: 128,
    upstreamPort: args.upstreamPort,
    ...(args.upstream && { upstream: args.upstream }),
    database: args.database,
    users: args.users ?? pooledRoles,
    generation: args.generation ?? 1,
    settings: {
      pool_mode: "transaction",
      max_client_conn: 200,
      default_pool_size: 20,
      // Spreads work over all server connections instead of wearing out the last used one.
      server_round_robin: 1,
      max_prepared_statements: 200,
      // Seconds until it tries a server again that did not answer; by default 15, longer than a restart takes.
      server_login_retry: 1,
      auth_type: "scram-sha-256",
      // Who may read the console's statistics.
      stats_users: args.upstream?.names.timelift_monitor ?? bothLogins("timelift_monitor").join(","),
      // The JDBC driver always sends it; it changes nothing on any supported server.
      ignore_startup_parameters: "extra_float_digits",
    },
    health: { query: "SELECT 1", role: "timelift_readonly", timeoutSeconds: 30 },
  };
}
