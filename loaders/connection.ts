import pg from "pg";
import { connectionRefused } from "./connection-refused.ts";
import { type Tls, tlsOptions } from "./tls.ts";

/** Where a PostgreSQL database is and who connects. The password never leaves memory, environment or a 0600 file. */
export interface Connection {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /**
   * How it is encrypted.
   * @default plain text, which is for loopback
   */
  tls?: Tls;
  /**
   * Whether others run the server: then errors send the user to them, and what lies between may drop idle connections.
   * @default false: timelift started it
   */
  external?: boolean;
  /**
   * Whether the session writes nothing, whatever its role may do.
   * @default false
   */
  readOnly?: boolean;
}

/** How long a server of others may take to answer, in milliseconds. A firewall that drops packets never does. */
const externalPatienceMs = 20_000;
/** When a silent connection to it is first asked whether it is there, in milliseconds; NAT tables forget in minutes. */
const keepAliveMs = 60_000;

/**
 * Opens one client; the caller ends it. `purpose` is what `pg_stat_activity` shows. With `patienceMs`, connecting and
 * each query fail when they take longer.
 * @throws TimeliftError `database-*`, as `connectionRefused`; `tls-root-certificate`
 */
export async function connect(
  connection: Connection,
  purpose: string,
  { patienceMs }: { patienceMs?: number } = {},
): Promise<pg.Client> {
  const { tls, external = false, readOnly = false, ...place } = connection;
  const client = new pg.Client({
    ...place,
    ssl: tlsOptions(tls),
    application_name: `timelift ${purpose}`,
    connectionTimeoutMillis: patienceMs ?? (external ? externalPatienceMs : undefined),
    query_timeout: patienceMs,
    ...(external && { keepAlive: true, keepAliveInitialDelayMillis: keepAliveMs }),
  });
  try {
    await client.connect();
  } catch (error) {
    throw connectionRefused(describeTarget(connection), connection, error as NodeJS.ErrnoException);
  }
  // A connection that breaks is told by the query that it breaks; without a listener it would end the process.
  client.on("error", () => {});
  if (readOnly) await client.query("SET default_transaction_read_only = on");
  return client;
}

/** A database, as messages name it. */
export function describeTarget({ database, host, port }: Partial<Connection>): string {
  return `database ${database} at ${host}:${port}`;
}
