import { type Tls, tlsOptions } from "../../../loaders/tls.ts";
import { isGround } from "../../ground-plan.ts";
import { loginOf } from "../../services/login.ts";
import type { ServiceDeclaration, TimescaleDbDeclaration } from "../../services/service.ts";
import { asSuperuser, bootstrap, type SuperuserAddress, superuser } from "../bootstrap.ts";
import { answered, askSql } from "../native/health.ts";
import type { ContainerSecrets } from "./container-kind.ts";
import { type ContainerRecord, writeContainer } from "./container-record.ts";
import { requireHealthy } from "./container-state.ts";
import { askEngine } from "./engine.ts";
import { unreachable } from "./unreachable.ts";

/** A container that has just become healthy. */
export interface SettleRequest extends Omit<ContainerRecord, "version" | "secrets"> {
  /** The stack's folder, relative to the project. */
  stateDir: string;
  /** Whether clients outside the stack's network can reach it. */
  isPublished: boolean;
  /** Whether it runs on with files that it has to take anew. */
  reload: boolean;
  secrets: ContainerSecrets;
}

/**
 * Brings a service that runs in a container to the state that everything else relies on, the database with the same
 * bootstrap as on the native platform; asks it from here, where it is published; and remembers it.
 * @throws TimeliftError `service-unreachable`
 */
export async function settle(request: SettleRequest): Promise<{ version: string }> {
  const { stateDir, isPublished, reload, secrets, ...record } = request;
  const { postgres, ...own } = secrets;
  const { declaration, host, tls } = request;
  let version = record.image;
  try {
    await healthy(request);
    if (declaration.name === "timescaledb") {
      const ssl = tlsOptions(tls);
      const at = { host, port: declaration.port, password: postgres, ssl };
      version = await settleDatabase(declaration, at, own, reload);
    }
    if (reload && declaration.name === "pgbouncer") await reloadPool(request);
    if (isPublished) await ask(declaration, host, own, tls);
  } catch (error) {
    throw unreachable(request, error);
  }
  writeContainer(stateDir, { ...record, version, secrets: own });
  return { version };
}

async function settleDatabase(
  { database, health, contents }: TimescaleDbDeclaration,
  at: SuperuserAddress,
  secrets: ContainerRecord["secrets"],
  reload: boolean,
): Promise<string> {
  const login = { ...at, user: superuser, database: superuser };
  const { error } = await answered(
    () => askSql(login, "SELECT 1"),
    () => true,
    health.timeoutSeconds,
  );
  if (error !== undefined) throw error;
  const libraries = await asSuperuser(at, superuser, async (client) => {
    const { rows } = await client.query("SHOW shared_preload_libraries");
    return String(rows[0]?.shared_preload_libraries);
  });
  if (reload) await asSuperuser(at, superuser, (client) => client.query("SELECT pg_reload_conf()"));
  await bootstrap(at, { contents, secrets, hasCron: libraries.includes("pg_cron") });
  return asSuperuser(at, database, async (client) => {
    const { rows } = await client.query(
      `SELECT coalesce(installed_version, default_version) || ' on PostgreSQL '
         || split_part(current_setting('server_version'), ' ', 1) AS version
       FROM pg_available_extensions WHERE name = 'timescaledb'`,
    );
    return String(rows[0]?.version);
  });
}

/** Lets a pool take new users and a renewed certificate, which opens no connection anew; its console is inside the container. */
async function reloadPool({ engine, container }: SettleRequest): Promise<void> {
  await askEngine(engine, ["kill", "--signal", "HUP", container]);
}

/** The provider waits for that once; a container that failed then is taken as made by the next update. */
async function healthy({ engine, container, declaration }: SettleRequest): Promise<void> {
  const { timeoutSeconds } = declaration.health;
  const { error } = await answered(
    () => requireHealthy(engine, container),
    () => true,
    timeoutSeconds,
  );
  if (error !== undefined) throw error;
}

/** Asks as a client would; what speaks no SQL has answered its health check. */
async function ask(
  declaration: ServiceDeclaration,
  host: string,
  secrets: ContainerRecord["secrets"],
  tls: Tls | undefined,
): Promise<void> {
  if (declaration.name !== "timescaledb" && declaration.name !== "pgbouncer") return;
  const { port, database, health } = declaration;
  // The logins are made by the plugin, and the superuser has been answered.
  if (declaration.name === "timescaledb" && isGround(declaration.contents)) return;
  const { generation } = declaration.name === "timescaledb" ? declaration.contents : declaration;
  const user = loginOf(health.role, generation);
  const login = { host, port, database, user, password: secrets[health.role], ssl: tlsOptions(tls) };
  const { error } = await answered(
    () => askSql(login, health.query),
    () => true,
    health.timeoutSeconds,
  );
  if (error !== undefined) throw error;
}
