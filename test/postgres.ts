import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import type { Connection } from "../loaders/connection.ts";
import {
  addDatabase,
  asSuperuser,
  grantDatabase,
  type SuperuserAddress,
  superuser,
} from "../stacks/platforms/bootstrap.ts";
import { exclusively } from "../stacks/platforms/native/lock.ts";
import { startService } from "../stacks/platforms/native/native-service.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import type { Role, Secrets } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";

/** A database of a test's own, with the extensions and privileges that a stack's has. */
export interface TestDatabase {
  name: string;
  owner: Connection;
  loader: Connection;
  app: Connection;
  readonly: Connection;
  drop(): Promise<void>;
}

/** The passwords of every test server: no secret, for it listens on loopback for the length of a run. */
export const testSecrets: Secrets = {
  timelift_owner: "owner of tests",
  timelift_loader: "loader of tests",
  timelift_app: "app of tests",
  timelift_readonly: "readonly of tests",
  timelift_monitor: "monitor of tests",
  redis: "redis of tests",
};

const template = "timelift_template";

/**
 * A fresh database on the server that all tests of a run share; `name` shows in the server's log. The server is
 * started by whoever asks first.
 */
export async function databaseFromTemplate(name: string): Promise<TestDatabase> {
  const { socket, port } = await testServer();
  const database = `test_${name.replace(/\W/g, "_").toLowerCase()}_${randomBytes(4).toString("hex")}`;
  await asSuperuser(socket, superuser, async (client) => {
    await client.query(`CREATE DATABASE ${database} TEMPLATE ${template} OWNER timelift_owner`);
    await grantDatabase(client, database);
  });
  const as = (user: Role): Connection => ({
    ...{ host: "127.0.0.1", port, database, user, password: testSecrets[user] },
  });
  return {
    name: database,
    owner: as("timelift_owner"),
    loader: as("timelift_loader"),
    app: as("timelift_app"),
    readonly: as("timelift_readonly"),
    drop: () =>
      asSuperuser(socket, superuser, async (client) => {
        await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
      }),
  };
}

let started: Promise<{ socket: SuperuserAddress; port: number }> | undefined;

/** The run's server with its template, started once in each test process and really once in a run. */
export function testServer(): Promise<{ socket: SuperuserAddress; port: number }> {
  started ??= startServer();
  return started;
}

async function startServer() {
  const { stateDir, port } = inject("testServer");
  const declaration = timescaledb({ port, database: "timelift_test" });
  declaration.settings = {
    ...declaration.settings,
    // Databases come and go by the dozen: TimescaleDB shall not put a scheduler into each.
    "timescaledb.bgw_launcher_poll_time": "10min",
    shared_buffers: "128MB",
  };
  await startService({ stateDir, declaration, secrets: testSecrets }, () => {});
  const socket = { host: new ServiceFolder(stateDir, "timescaledb").socketFolder, port };
  await exclusively(`template ${stateDir}`, () => makeTemplate(socket));
  return { socket, port };
}

/** Makes the template and closes it, so that nothing connects to it while it is copied. */
async function makeTemplate(socket: SuperuserAddress): Promise<void> {
  const isThere = await asSuperuser(socket, superuser, async (client) => {
    const { rowCount } = await client.query(
      `SELECT FROM pg_database WHERE datname = '${template}' AND NOT datallowconn`,
    );
    return rowCount === 1;
  });
  if (isThere) return;
  await addDatabase(socket, template);
  await asSuperuser(socket, template, (client) =>
    client.query("SELECT _timescaledb_functions.stop_background_workers()"),
  );
  await asSuperuser(socket, superuser, (client) =>
    client.query(`ALTER DATABASE ${template} ALLOW_CONNECTIONS false`),
  );
}
