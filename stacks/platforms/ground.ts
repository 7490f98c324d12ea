import type pg from "pg";
import { type GroundPlan, pluginDatabase, pluginSettings } from "../ground-plan.ts";
import { createDatabase, grantOn, type PresentRole, plainRole, presentRoles } from "./database-contents.ts";

/**
 * Makes the roles, logins and the database that the plugin adopts, without any right, and of those that are there what it
 * has no words for. What it does have words for is left alone: a start does not undo what an update has made.
 */
export async function makeGround(client: pg.Client, plan: GroundPlan): Promise<void> {
  const present = await presentRoles(client);
  await client.query("BEGIN");
  for (const name of plan.groups) await makeGroup(client, name, present.get(name));
  for (const { name, settings } of plan.logins) {
    if (!present.has(name)) await client.query(`CREATE ROLE ${name} ${plainRole} NOLOGIN`);
    await setRest(client, name, settings, present.get(name)?.rolconfig ?? []);
  }
  await client.query("COMMIT");
  await createDatabase(client, plan);
  await grantOn(client, plan, "database");
}

/** A role that had a password itself, in a stack of before there were logins, loses it: the plugin takes none away. */
async function makeGroup(client: pg.Client, name: string, present: PresentRole | undefined): Promise<void> {
  if (present === undefined) await client.query(`CREATE ROLE ${name} ${plainRole} NOLOGIN`);
  else if (present.rolpassword !== null) await client.query(`ALTER ROLE ${name} PASSWORD NULL`);
  await setRest(client, name, {}, present?.rolconfig ?? []);
}

async function setRest(
  client: pg.Client,
  name: string,
  wanted: Record<string, string>,
  present: string[],
): Promise<void> {
  const settings = settingsOf(present);
  for (const setting of settings.keys()) {
    if (setting in wanted || pluginSettings.includes(setting)) continue;
    await client.query(`ALTER ROLE ${name} RESET ${client.escapeIdentifier(setting)}`);
  }
  for (const [setting, value] of Object.entries(wanted)) {
    if (settings.get(setting) === value) continue;
    await client.query(`ALTER ROLE ${name} SET ${setting} TO ${client.escapeLiteral(value)}`);
  }
}

/**
 * Settings of a connection whose statements may hold the secret of a password: neither the log nor
 * pg_stat_statements gets to see their texts. Errors come to whoever asked.
 */
export const quiet: Record<string, string> = {
  log_statement: "none",
  "pgaudit.log": "none",
  log_min_messages: "fatal",
  log_min_duration_statement: "-1",
  "pg_stat_statements.track": "none",
};

/**
 * Lets the superuser's connections to the plugin's first database be quiet from their first statement on, for the plugin
 * cannot ask for it; or takes that back.
 */
export async function keepQuiet(client: pg.Client, superuser: string, isQuiet: boolean): Promise<void> {
  const { rows } = await client.query<{ settings: string[] }>(
    `SELECT setconfig AS settings FROM pg_db_role_setting
     WHERE setrole = $1::regrole AND setdatabase = (SELECT oid FROM pg_database WHERE datname = $2)`,
    [superuser, pluginDatabase],
  );
  const present = settingsOf(rows[0]?.settings ?? []);
  const place = `ALTER ROLE ${superuser} IN DATABASE ${pluginDatabase}`;
  for (const [name, value] of Object.entries(quiet)) {
    const isThere = present.get(name) === value;
    if (isThere && !isQuiet) await client.query(`${place} RESET ${name}`);
    if (!isThere && isQuiet) await client.query(`${place} SET ${name} TO ${client.escapeLiteral(value)}`);
  }
}

/** Settings as catalogs have them, `name=value`. */
function settingsOf(config: string[]): Map<string, string> {
  return new Map(config.map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string]));
}
