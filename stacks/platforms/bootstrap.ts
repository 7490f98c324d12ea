import pg from "pg";
import { type DatabasePlan, databasePlan } from "../database-plan.ts";
import type { Secrets } from "../services/role.ts";
import { grantOn, makeContents, makeDatabase, makeRoles } from "./database-contents.ts";

/** The server's superuser, whom nothing but the bootstrap uses. */
export const superuser = "postgres";

/**
 * How the superuser reaches a server: by its Unix socket, where who may open the folder is the superuser, or by
 * TCP with a password.
 */
export interface SuperuserAddress {
  /** The socket's folder, or a host. */
  host: string;
  port: number;
  /** @default none: the socket is enough */
  password?: string;
  /** What pg's client takes for it. @default plain text, which only a socket is for */
  ssl?: pg.ClientConfig["ssl"];
}

/**
 * Brings a server to the state that everything else relies on: what the plan says, with the passwords. Safe to run
 * again, and run at every start, so that kept data takes new passwords and newer extensions.
 * @throws TimeliftError `extension-missing`
 */
export async function bootstrap(
  at: SuperuserAddress,
  plan: DatabasePlan,
  secrets: Secrets,
  hasCron: boolean,
): Promise<void> {
  await asSuperuser(at, superuser, async (client) => {
    await makeRoles(client, plan, secrets);
    await makeDatabase(client, plan);
    await grantOn(client, plan, "database");
  });
  await asSuperuser(at, plan.database, updateTimescaleDb);
  await asSuperuser(at, plan.database, (client) => makeContents(client, plan, hasCron));
}

/** Makes one more database with the same extensions and privileges, on a server that was started. */
export async function addDatabase(at: SuperuserAddress, database: string): Promise<void> {
  const plan = databasePlan({ database });
  await asSuperuser(at, superuser, async (client) => {
    await makeDatabase(client, plan);
    await grantOn(client, plan, "database");
  });
  // pg_cron lives in one database of a server only.
  await asSuperuser(at, database, (client) => makeContents(client, plan, false));
}

/** Opens a connection as the superuser, and ends it after `work`. */
export async function asSuperuser<T>(
  at: SuperuserAddress,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...at,
    database,
    user: superuser,
    application_name: "timelift bootstrap",
    // A slow or failing statement would be logged with its text; errors come here, where they are dealt with.
    options:
      "-c log_statement=none -c pgaudit.log=none -c log_min_messages=fatal -c log_min_duration_statement=-1",
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** TimescaleDB can be updated only by the first statement of a connection, before its library is loaded. */
async function updateTimescaleDb(client: pg.Client): Promise<void> {
  try {
    await client.query("ALTER EXTENSION timescaledb UPDATE");
  } catch (error) {
    // There is none yet.
    if (!(error instanceof pg.DatabaseError && error.code === "42704")) throw error;
  }
}
