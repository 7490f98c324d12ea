import type pg from "pg";
import type { Connection } from "../loaders/connection.ts";
import { addDatabase, asSuperuser, superuser } from "../stacks/platforms/bootstrap.ts";
import { startService, stopService } from "../stacks/platforms/native/native-service.ts";
import { freePort } from "../stacks/platforms/native/port.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { accessToAll, timescaledb } from "../stacks/services/timescaledb.ts";
import { stackSecrets } from "./native-stack.ts";

/** A PostgreSQL server of a test's own, which may be killed and started again. */
export class KillServer {
  readonly #stateDir: string;
  readonly port: number;

  private constructor(stateDir: string, port: number) {
    this.#stateDir = stateDir;
    this.port = port;
  }

  static async start(stateDir: string): Promise<KillServer> {
    const server = new KillServer(stateDir, await freePort());
    await server.start();
    return server;
  }

  /** Starts it where it does not run, and waits until it answers. */
  async start(): Promise<void> {
    const declaration = timescaledb({
      ...{ port: this.port, database: "app", memoryMb: 512, access: accessToAll },
    });
    // Databases come and go by the dozen: TimescaleDB shall not put a scheduler into each.
    declaration.settings = { ...declaration.settings, "timescaledb.bgw_launcher_poll_time": "10min" };
    await startService({ stateDir: this.#stateDir, declaration, secrets: stackSecrets }, () => {});
  }

  stop(): Promise<void> {
    return stopService({ stateDir: this.#stateDir, declaration: { name: "timescaledb" }, dropData: true });
  }

  /** The process from which all others of the server come. */
  get postmaster(): number {
    return this.#folder.process?.pid ?? 0;
  }

  as(role: "timelift_owner" | "timelift_loader", database: string): Connection {
    return { host: "127.0.0.1", port: this.port, database, user: `${role}_a`, password: stackSecrets[role] };
  }

  asAdmin<T>(work: (client: pg.Client) => Promise<T>, database: string = superuser): Promise<T> {
    return asSuperuser(this.#socket, database, work);
  }

  /** Does something to one of the server processes that work for timelift in a database; false where there is none. */
  onBackend(
    database: string,
    act: (pid: number, client: pg.Client) => Promise<unknown> | boolean,
  ): Promise<boolean> {
    return this.asAdmin(async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'timelift %' ORDER BY pid DESC",
        [database],
      );
      const pid = rows[0]?.pid;
      if (pid !== undefined) await act(pid, client);
      return pid !== undefined;
    });
  }

  /** What the server processes of a database do, and what each waits for. */
  sessions(database: string): Promise<object[]> {
    return this.asAdmin(async (client) => {
      const { rows } = await client.query<object>(
        `SELECT pid, application_name AS name, state, wait_event, pg_blocking_pids(pid) AS blocked_by, left(query, 200) AS query
         FROM pg_stat_activity WHERE datname = $1`,
        [database],
      );
      return rows;
    });
  }

  /** Makes a database to copy, and closes it. */
  async makeTemplate(name: string, fill: () => Promise<void>): Promise<void> {
    await addDatabase(this.#socket, name);
    await this.asAdmin(
      (client) => client.query("SELECT _timescaledb_functions.stop_background_workers()"),
      name,
    );
    await fill();
    await this.asAdmin((client) => client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`));
  }

  /**
   * Copies a template. PostgreSQL's other strategy leaves copied sequences without a record in the log until they have
   * moved by 32, and a crash before that sets them back.
   */
  async createDatabase(name: string, template: string): Promise<void> {
    await this.asAdmin(async (client) => {
      await client.query(
        `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy OWNER timelift_owner`,
      );
      await client.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO timelift_loader`);
    });
  }

  async dropDatabase(name: string): Promise<void> {
    await this.asAdmin((client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
  }

  get #folder(): ServiceFolder {
    return new ServiceFolder(this.#stateDir, "timescaledb");
  }

  get #socket() {
    return { host: this.#folder.socketFolder, port: this.port };
  }
}
