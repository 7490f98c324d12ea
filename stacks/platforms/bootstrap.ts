import pg from "pg";
import { type DatabasePlan, databasePlan } from "../database-plan.ts";
import { type GroundPlan, isGround } from "../ground-plan.ts";
import type { Secrets } from "../services/role.ts";
import { grantOn, makeContents, makeDatabase, makeExtensions, makeRoles } from "./database-contents.ts";
import { keepQuiet, makeGround, quiet } from "./ground.ts";
import { scramSecret } from "./scram-secret.ts";

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

/** What a bootstrap makes, and what it needs for that. */
export interface BootstrapRequest {
  /** The whole plan; or what the plugin builds on. */
  contents: DatabasePlan | GroundPlan;
  secrets: Secrets;
  /** Whether pg_cron is loaded. */
  hasCron: boolean;
  /**
   * Password of the superuser, for who comes by TCP; where the bootstrap itself does so, it is left as it is.
   * @default none: the superuser comes by the socket alone
   */
  superuserPassword?: string;
}

/**
 * Brings a server to the state that everything else relies on: what the plan says, with the passwords. Safe to run
 * again, and run at every start, so that kept data takes new passwords and newer extensions.
 * @throws TimeliftError `extension-missing`
 */
export async function bootstrap(at: SuperuserAddress, request: BootstrapRequest): Promise<void> {
  const { contents, secrets, hasCron, superuserPassword } = request;
  await asSuperuser(at, superuser, async (client) => {
    if (at.password === undefined) await setPassword(client, superuserPassword);
    await keepQuiet(client, superuser, isGround(contents));
    if (isGround(contents)) return makeGround(client, contents);
    await makeRoles(client, contents, secrets);
    await makeDatabase(client, contents);
    await grantOn(client, contents, "database");
  });
  await asSuperuser(at, contents.database, updateTimescaleDb);
  await asSuperuser(at, contents.database, (client) =>
    isGround(contents) ? makeExtensions(client, contents, hasCron) : makeContents(client, contents, hasCron),
  );
}

async function setPassword(client: pg.Client, password: string | undefined): Promise<void> {
  const { rows } = await client.query<{ rolpassword: string | null }>(
    "SELECT rolpassword FROM pg_authid WHERE rolname = $1",
    [superuser],
  );
  const secret = password === undefined ? null : await scramSecret(superuser, password);
  if (rows[0]?.rolpassword === secret) return;
  await client.query(
    `ALTER ROLE ${superuser} PASSWORD ${secret === null ? "NULL" : client.escapeLiteral(secret)}`,
  );
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
    options: Object.entries(quiet)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
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
