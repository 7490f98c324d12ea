import pg from "pg";
import { TimeliftError } from "./timelift-error.ts";

/** Where a PostgreSQL database is and who connects. The password never leaves memory, environment or a 0600 file. */
export interface Connection {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
}

/**
 * Opens one client; the caller ends it. `purpose` is what `pg_stat_activity` shows. With `patienceMs`, connecting and
 * each query fail when they take longer.
 * @throws TimeliftError `database-unreachable`, `database-starting`, `database-password`, `database-missing`, `database-refused`
 */
export async function connect(
  connection: Connection,
  purpose: string,
  { patienceMs }: { patienceMs?: number } = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    ...connection,
    application_name: `timelift ${purpose}`,
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
  });
  try {
    await client.connect();
  } catch (error) {
    throw refused(connection, error as NodeJS.ErrnoException);
  }
  return client;
}

/** A database, as messages name it. */
export function describeTarget({ database, host, port }: Partial<Connection>): string {
  return `database ${database} at ${host}:${port}`;
}

function refused(connection: Connection, error: NodeJS.ErrnoException): TimeliftError {
  const { user } = connection;
  const subject = describeTarget(connection);
  const of = (code: string, problem: string, remedy: string) =>
    new TimeliftError({ code, subject, problem, remedy, cause: error });
  if (error.message === "timeout expired") {
    return of(
      "database-unreachable",
      "it takes connections and does not answer",
      "timelift status shows what runs, timelift logs timescaledb what it does",
    );
  }
  switch (error.code) {
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ECONNRESET":
      return of(
        "database-unreachable",
        `nobody answers there (${error.code})`,
        "start it with timelift up; timelift status shows what runs",
      );
    case "57P03":
      return of(
        "database-starting",
        `it takes no connection now: ${error.message}`,
        "try again in a few seconds",
      );
    case "28P01":
      return of(
        "database-password",
        `the password of ${user} is wrong`,
        "timelift up sets the passwords that the stack's state holds; run it again",
      );
    case "3D000":
      return of("database-missing", "there is no such database", "check timelift:database, then timelift up");
    default:
      return of(
        "database-refused",
        `it refused ${user}: ${error.message}`,
        "timelift logs timescaledb shows the server's side",
      );
  }
}
