import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import type { DatabasePlan, ExtensionPlan, GroupPlan, LoginPlan } from "../database-plan.ts";
import { type GroundPlan, isGround } from "../ground-plan.ts";
import { passwordsByLogin } from "../services/login.ts";
import type { Secrets } from "../services/role.ts";
import { scramSecret } from "./scram-secret.ts";

/** What a server says of a role. */
export interface PresentRole {
  rolcanlogin: boolean;
  rolconnlimit: number;
  rolpassword: string | null;
  rolconfig: string[];
}

/**
 * Makes the plan's roles and logins, and gives the logins their passwords, as SCRAM secrets: no password is ever part of
 * a statement. A role that had a password itself, in a stack of before there were logins, loses it.
 */
export async function makeRoles(client: pg.Client, plan: DatabasePlan, secrets: Secrets): Promise<void> {
  const present = await presentRoles(client);
  const passwords = new Map<string, string>(passwordsByLogin(secrets, plan.generation));
  await client.query("BEGIN");
  for (const group of plan.groups) await makeGroup(client, group, present.get(group.name));
  for (const login of plan.logins) {
    const password = login.enabled ? passwords.get(login.name) : undefined;
    const secret = password === undefined ? null : await scramSecret(login.name, password);
    await makeLogin(client, login, secret, present.get(login.name));
  }
  await client.query("COMMIT");
}

/** The roles of a server, by name. */
export async function presentRoles(client: pg.Client): Promise<Map<string, PresentRole>> {
  const { rows } = await client.query<PresentRole & { rolname: string }>(
    `SELECT rolname, rolcanlogin, rolconnlimit, rolpassword, coalesce(setconfig, '{}') AS rolconfig
     FROM pg_authid LEFT JOIN pg_db_role_setting ON setrole = pg_authid.oid AND setdatabase = 0`,
  );
  return new Map(rows.map(({ rolname, ...role }) => [rolname, role]));
}

/** The attributes that none of the roles has. */
export const plainRole = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT";

async function makeGroup(
  client: pg.Client,
  { name, memberOf, runsJobs }: GroupPlan,
  present: PresentRole | undefined,
): Promise<void> {
  const attributes = `${runsJobs ? "LOGIN" : "NOLOGIN"} PASSWORD NULL`;
  if (present === undefined) await client.query(`CREATE ROLE ${name} ${plainRole} ${attributes}`);
  else if (present.rolcanlogin !== runsJobs || present.rolpassword !== null) {
    await client.query(`ALTER ROLE ${name} ${attributes}`);
  }
  if (present && present.rolconfig.length > 0) await client.query(`ALTER ROLE ${name} RESET ALL`);
  for (const role of memberOf) await client.query(`GRANT ${role} TO ${name}`);
}

async function makeLogin(
  client: pg.Client,
  { name, group, enabled, connections, settings }: LoginPlan,
  secret: string | null,
  present: PresentRole | undefined,
): Promise<void> {
  const word = enabled ? "LOGIN" : "NOLOGIN";
  if (present === undefined) await client.query(`CREATE ROLE ${name} ${plainRole} NOLOGIN`);
  await client.query(`GRANT ${group} TO ${name}`);
  if (present?.rolcanlogin !== enabled || present.rolconnlimit !== connections) {
    await client.query(`ALTER ROLE ${name} ${word} CONNECTION LIMIT ${connections}`);
  }
  if ((present?.rolpassword ?? null) !== secret) {
    await client.query(
      `ALTER ROLE ${name} PASSWORD ${secret === null ? "NULL" : client.escapeLiteral(secret)}`,
    );
  }
  const wanted = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  if (isDeepStrictEqual([...(present?.rolconfig ?? [])].sort(), [...wanted].sort())) return;
  await client.query(`ALTER ROLE ${name} RESET ALL`);
  for (const [key, value] of Object.entries(settings)) {
    await client.query(`ALTER ROLE ${name} SET ${key} TO ${client.escapeLiteral(value)}`);
  }
}

/** Makes the database where it is missing, and gives it to its owner. */
export async function makeDatabase(
  client: pg.Client,
  { database, owner }: Pick<DatabasePlan, "database" | "owner">,
): Promise<void> {
  await createDatabase(client, { database });
  await client.query(`ALTER DATABASE ${client.escapeIdentifier(database)} OWNER TO ${owner}`);
}

/** Makes the database where it is missing. */
export async function createDatabase(
  client: pg.Client,
  { database }: Pick<DatabasePlan, "database">,
): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [database]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
}

/** Gives each role exactly the privileges that the plan names; a role that it does not name keeps what it has. */
export async function grantOn(
  client: pg.Client,
  { grants }: Pick<DatabasePlan, "grants">,
  kind: "database" | "schema",
): Promise<void> {
  const statements = grants
    .filter(({ on }) => on === kind)
    .flatMap(({ object, role, privileges }) => {
      const place = `${kind.toUpperCase()} ${client.escapeIdentifier(object)}`;
      const granted = `GRANT ${privileges.join(", ")} ON ${place} TO ${role}`;
      return [`REVOKE ALL ON ${place} FROM ${role}`, ...(privileges.length > 0 ? [granted] : [])];
    });
  // One message is one transaction: nobody is without a privilege for a moment.
  await client.query(statements.join(";\n"));
}

/**
 * Makes extensions, schemas and privileges inside the plan's database, on a connection to it.
 * @throws TimeliftError `extension-missing`
 */
export async function makeContents(client: pg.Client, plan: DatabasePlan, hasCron: boolean): Promise<void> {
  await makeExtensions(client, plan, hasCron);
  for (const { name, owner } of plan.schemas) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${name} AUTHORIZATION ${owner}`);
    await client.query(`ALTER SCHEMA ${name} OWNER TO ${owner}`);
  }
  await grantOn(client, plan, "schema");
  for (const { maker, schema, role, on, privileges } of plan.defaultPrivileges) {
    await client.query(
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${maker} IN SCHEMA ${schema}
         GRANT ${privileges.join(", ")} ON ${on.toUpperCase()}S TO ${role}`,
    );
  }
}

/**
 * Makes the extensions; of a ground those alone that a server may lack, for the plugin makes the others.
 * @throws TimeliftError `extension-missing`
 */
export async function makeExtensions(
  client: pg.Client,
  plan: DatabasePlan | GroundPlan,
  hasCron: boolean,
): Promise<void> {
  const { rows } = await client.query<{ name: string; installed: boolean }>(
    "SELECT name, installed_version IS NOT NULL AS installed FROM pg_available_extensions",
  );
  const known = new Map(rows.map(({ name, installed }) => [name, installed]));
  for (const extension of plan.extensions) {
    const { name, schema, required } = extension;
    const isThere = known.has(name) && (name !== "pg_cron" || hasCron);
    if (!isThere && !required) continue;
    if (!isThere) throw missingExtension(extension);
    if (required && isGround(plan)) continue;
    if (!known.get(name)) await client.query(`CREATE EXTENSION ${name}`);
    if (schema) await client.query(`GRANT USAGE ON SCHEMA ${schema.name} TO ${schema.users.join(", ")}`);
  }
}

function missingExtension({ name }: ExtensionPlan): TimeliftError {
  return new TimeliftError({
    code: "extension-missing",
    subject: `extension ${name}`,
    problem: "timelift:extensions asks for it, and the server does not have it",
    remedy:
      "use a server that has it (an image in timelift:images; the Debian package on this machine), " +
      `or take ${name} out of timelift:extensions`,
  });
}
