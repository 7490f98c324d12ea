import pg from "pg";
import { loaderSchema, roles, type Secrets } from "../services/role.ts";
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
}

/**
 * Brings a server to the state that everything else relies on: the roles with their passwords, the database
 * with its extensions, who may do what. Safe to run again, and run at every start, so that kept data takes new
 * passwords and newer extensions.
 */
export async function bootstrap(
  at: SuperuserAddress,
  database: string,
  secrets: Secrets,
  hasCron: boolean,
): Promise<void> {
  await asSuperuser(at, superuser, async (client) => {
    await makeRoles(client);
    await setPasswords(client, secrets);
    await makeDatabase(client, database);
    await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${superuser}, template1 FROM PUBLIC`);
    await client.query(`GRANT CONNECT ON DATABASE ${superuser} TO timelift_monitor`);
  });
  await asSuperuser(at, database, updateTimescaleDb);
  await asSuperuser(at, database, (client) => furnish(client, hasCron));
}

/** Makes one more database with the same roles, extensions and privileges, on a server that was started. */
export async function addDatabase(at: SuperuserAddress, database: string): Promise<void> {
  await asSuperuser(at, superuser, (client) => makeDatabase(client, database));
  // pg_cron lives in one database of a server only.
  await asSuperuser(at, database, (client) => furnish(client, false));
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
    options: "-c log_statement=none -c log_min_messages=fatal -c log_min_duration_statement=-1",
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function makeRoles(client: pg.Client): Promise<void> {
  const { rows } = await client.query("SELECT rolname FROM pg_roles WHERE rolname = ANY($1)", [roles]);
  const present = new Set(rows.map((row) => row.rolname));
  for (const role of roles.filter((each) => !present.has(each))) {
    await client.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION`);
  }
  await client.query(`
    GRANT pg_monitor TO timelift_monitor;
    ALTER ROLE timelift_readonly SET default_transaction_read_only = on;
  `);
}

/** Sets the passwords that differ, as SCRAM secrets: no password is ever part of a statement. */
async function setPasswords(client: pg.Client, secrets: Secrets): Promise<void> {
  await client.query("SET pg_stat_statements.track = 'none'");
  const { rows } = await client.query("SELECT rolname, rolpassword FROM pg_authid");
  const present = new Map<string, string | null>(rows.map((row) => [row.rolname, row.rolpassword]));
  for (const role of roles) {
    const secret = await scramSecret(role, secrets[role]);
    if (present.get(role) === secret) continue;
    await client.query(`ALTER ROLE ${role} PASSWORD ${client.escapeLiteral(secret)}`);
  }
}

/** Makes the database where it is missing, and gives it to its owner. */
async function makeDatabase(client: pg.Client, database: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [database]);
  const name = client.escapeIdentifier(database);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  await client.query(`ALTER DATABASE ${name} OWNER TO timelift_owner`);
  await grantDatabase(client, database);
}

/** Who may enter a database; a database made from a template starts without it. */
export async function grantDatabase(client: pg.Client, database: string): Promise<void> {
  const name = client.escapeIdentifier(database);
  await client.query(`
    REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
    GRANT CONNECT ON DATABASE ${name} TO ${roles.join(", ")};
    GRANT TEMPORARY ON DATABASE ${name} TO timelift_loader;
  `);
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

/** Extensions, schemas and privileges inside the database. */
async function furnish(client: pg.Client, hasCron: boolean): Promise<void> {
  const extensions = ["timescaledb", "pg_stat_statements", ...(hasCron ? ["pg_cron"] : [])];
  const { rows } = await client.query("SELECT extname FROM pg_extension");
  const present = new Set(rows.map((row) => row.extname));
  for (const extension of extensions.filter((each) => !present.has(each))) {
    await client.query(`CREATE EXTENSION ${extension}`);
  }
  await client.query(`
    ALTER SCHEMA public OWNER TO timelift_owner;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO ${roles.join(", ")};
    CREATE SCHEMA IF NOT EXISTS ${loaderSchema} AUTHORIZATION timelift_loader;
    GRANT USAGE ON SCHEMA ${loaderSchema} TO timelift_owner, timelift_readonly, timelift_monitor;
    GRANT CREATE ON SCHEMA ${loaderSchema} TO timelift_owner;
  `);
  await client.query(defaultPrivileges);
  if (hasCron) await client.query("GRANT USAGE ON SCHEMA cron TO timelift_owner");
}

/** What the other roles may do with tables that the owner and the loader will make. */
const defaultPrivileges = `
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO timelift_app;
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO timelift_loader;
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_owner IN SCHEMA public
    GRANT SELECT ON TABLES TO timelift_readonly;
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO timelift_app;
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_owner IN SCHEMA public
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO timelift_loader;
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_owner IN SCHEMA public
    GRANT SELECT ON SEQUENCES TO timelift_readonly;
  ALTER DEFAULT PRIVILEGES FOR ROLE timelift_loader IN SCHEMA ${loaderSchema}
    GRANT SELECT ON TABLES TO timelift_owner, timelift_readonly;
`;
