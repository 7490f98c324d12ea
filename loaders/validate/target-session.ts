import pg from "pg";
import { type Connection, connect, describeTarget } from "../connection.ts";
import { TimeliftError } from "../timelift-error.ts";
import { ReadingSocket } from "./reading-socket.ts";

/** What makes PostgreSQL write values as people compare them, and a query's plan start without compiling. */
const settings = [
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO, YMD'",
  "SET extra_float_digits = 1",
  "SET jit = off",
  // The SQL writes a backslash as a backslash.
  "SET standard_conforming_strings = on",
];

/**
 * Opens a session for reading the target, calls `work` with it, and ends it. When `signal` fires, the
 * server's running query is cancelled too.
 * @throws TimeliftError `target-unreadable`, and what `connect` throws
 */
export async function withTarget<Result>(
  connection: Connection,
  purpose: string,
  signal: AbortSignal | undefined,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  // pg takes the socket from its config, of which a connection is a part.
  const config = { ...connection, stream: () => new ReadingSocket() };
  const client = await connect(config, purpose);
  const cancel = () => void cancelQuery(connection, client);
  signal?.addEventListener("abort", cancel);
  try {
    for (const setting of settings) await client.query(setting);
    return await work(client);
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof pg.DatabaseError ? unreadable(connection, error) : error;
  } finally {
    signal?.removeEventListener("abort", cancel);
    await client.end().catch(() => undefined);
  }
}

async function cancelQuery(connection: Connection, client: pg.Client): Promise<void> {
  const { processID } = client as pg.Client & { processID?: number };
  try {
    const other = await connect(connection, "cancel");
    // A login that acts as its group may not touch sessions of its own name.
    await other.query("SET ROLE NONE");
    await other.query("SELECT pg_cancel_backend($1)", [processID]);
    await other.end();
  } catch {
    // The server is gone: then so is the query.
  }
}

function unreadable(connection: Connection, error: pg.DatabaseError): TimeliftError {
  const denied = error.code === "42501";
  return new TimeliftError({
    code: "target-unreadable",
    subject: describeTarget(connection),
    problem: `${error.message} (SQLSTATE ${error.code})`,
    remedy: denied
      ? "Grant the role SELECT on the loaded tables, or validate as a role that may read them."
      : "Run up again; if it stays, look into the server's log (timelift logs timescaledb).",
    cause: error,
  });
}
