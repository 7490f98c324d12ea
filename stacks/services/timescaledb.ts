import { type Edition, licences } from "../../migrations/edition.ts";
import { type DatabasePlanArgs, databasePlan } from "../database-plan.ts";
import type { Through } from "../database-through.ts";
import { groundOf } from "../ground-plan.ts";
import { roles } from "./role.ts";
import type { AccessRule, TimescaleDbDeclaration } from "./service.ts";
import { tuning } from "./timescaledb-tuning.ts";

/** How large the database server is, where it listens, and what is inside. */
export interface TimescaleDbArgs extends Omit<DatabasePlanArgs, "database"> {
  /** TCP port on 127.0.0.1. */
  port: number;
  /** The application's database, made at the first start. A change of name makes a second, empty database. */
  database: string;
  /**
   * Edition of TimescaleDB. A server that can be either is held to it by its licence setting, which a reload takes.
   * @default "apache", which Debian builds
   */
  edition?: Edition;
  /**
   * Memory that the server may count on, in MB. Fixed rather than read from the machine, so that a preview
   * says the same everywhere.
   * @default 2048
   */
  memoryMb?: number;
  /**
   * Processor cores that the server may count on.
   * @default 2
   */
  cpus?: number;
  /**
   * Connections that the server accepts. Applications come through PgBouncer, so few are needed.
   * @default 100
   */
  maxConnections?: number;
  /**
   * Who makes what is inside: this service itself when it starts, or Pulumi's postgresql plugin, all that it has words for.
   * @default "builtin"
   */
  through?: Through;
  /**
   * Who may log in over the network.
   * @default every role to the database; the monitor to `postgres` too, where it sees the whole server
   */
  access?: AccessRule[];
}

/** For a server with many databases that come and go, on loopback: every role to each of them. */
export const accessToAll: AccessRule[] = [{ role: "all", databases: "all" }];

/**
 * Memory in MB that no setting bounds. Keys of a hypertable are built by one statement, which keeps about 2 MB for each
 * chunk until it ends (480 MB for 250 of them); a limit without room for that would end the server.
 */
const beyondTuningMb = 1024;

/**
 * A PostgreSQL server with TimescaleDB, pg_cron and pg_stat_statements loaded from the start (each needs a
 * restart to be added later). Loopback only, SCRAM only, durable: fsync and full_page_writes stay on.
 */
export function timescaledb(args: TimescaleDbArgs): TimescaleDbDeclaration {
  const { edition = "apache", memoryMb = 2048, through = "builtin" } = args;
  const plan = databasePlan(args);
  return {
    name: "timescaledb",
    version: { minimum: "2.17" },
    postgres: { minimum: 15, maximum: 18 },
    port: args.port,
    memoryMb: memoryMb + beyondTuningMb,
    database: args.database,
    contents: through === "plugin" ? groundOf(plan) : plan,
    edition,
    access: args.access ?? accessTo(args.database),
    settings: {
      ...tuning({
        memoryMb,
        cpus: args.cpus ?? 2,
        maxConnections: args.maxConnections ?? 100,
      }),
      // pg_cron and pgaudit only where the server has them.
      shared_preload_libraries: "timescaledb,pg_cron,pg_stat_statements,pgaudit",
      "timescaledb.telemetry_level": "off",
      "timescaledb.license": licences[edition],
      "cron.database_name": args.database,
      // Without it pg_cron opens a TCP connection for each job, which SCRAM would refuse.
      "cron.use_background_workers": true,
      fsync: true,
      full_page_writes: true,
      password_encryption: "scram-sha-256",
      // Who changed what, and who came and went. A server that has pgaudit writes the first down by it instead.
      log_statement: "ddl",
      "pgaudit.log": "ddl, role",
      log_connections: true,
      log_disconnections: true,
      log_line_prefix: "%m [%p] %q%u@%d %a ",
      timezone: "UTC",
      log_timezone: "UTC",
    },
    health: { query: "SELECT 1", role: "timelift_monitor", timeoutSeconds: 60 },
  };
}

function accessTo(database: string): AccessRule[] {
  return roles.map((role) => ({
    role,
    databases: role === "timelift_monitor" ? [database, "postgres"] : [database],
  }));
}
