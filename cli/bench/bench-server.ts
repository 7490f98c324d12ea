import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type pg from "pg";
import type { Connection } from "../../loaders/connection.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { addDatabase, asSuperuser, superuser } from "../../stacks/platforms/bootstrap.ts";
import { startService, stopService } from "../../stacks/platforms/native/native-service.ts";
import { freePort } from "../../stacks/platforms/native/port.ts";
import { ServiceFolder } from "../../stacks/platforms/native/service-folder.ts";
import { type Role, roles, type Secrets } from "../../stacks/services/role.ts";
import { timescaledb } from "../../stacks/services/timescaledb.ts";
import { readTree } from "./process-tree.ts";

/** One empty database of a measurement, and the roles that work in it. */
export interface BenchDatabase {
  name: string;
  owner: Connection;
  loader: Connection;
  app: Connection;
  readonly: Connection;
}

/** A file that both the bench and the server can reach, under the paths that each knows. */
export interface SharedFile {
  path: string;
  seenByServer: string;
}

/** What must hold for a figure to count, and what explains it. */
const settingsShown = [
  "fsync",
  "full_page_writes",
  "synchronous_commit",
  "max_wal_size",
  "shared_buffers",
  "maintenance_work_mem",
  "work_mem",
] as const;
export type ServerSettings = Record<(typeof settingsShown)[number], string>;

/** A TimescaleDB of the bench's own, with the settings that a stack's has by default. */
export class BenchServer {
  readonly #stateDir: string;
  readonly #port: number;
  readonly #pid: number;
  readonly #secrets: Secrets;

  private constructor(stateDir: string, port: number, pid: number, secrets: Secrets) {
    this.#stateDir = stateDir;
    this.#port = port;
    this.#pid = pid;
    this.#secrets = secrets;
  }

  /** Starts it; what it keeps goes to `stateDir`. It outlives this process: `stop` ends it. */
  static async start(stateDir: string, log: (line: string) => void): Promise<BenchServer> {
    const port = await freePort();
    const names = [...roles, "redis" as const];
    const secrets = Object.fromEntries(
      names.map((name) => [name, randomBytes(24).toString("base64url")]),
    ) as Record<keyof Secrets, string>;
    const declaration = timescaledb({ port, database: "bench" });
    const { pid } = await startService({ stateDir, declaration, secrets }, log);
    return new BenchServer(stateDir, port, pid, secrets);
  }

  /** Ends the server whose state is in `stateDir`, if there is one, and removes its data. */
  static async remove(stateDir: string): Promise<void> {
    await stopService({ stateDir, declaration: { name: "timescaledb" }, dropData: true });
    rmSync(stateDir, { recursive: true, force: true });
  }

  /** An empty database of that name, with the extensions and privileges that a stack's has; an older one goes. */
  async freshDatabase(name: string): Promise<BenchDatabase> {
    await this.drop(name);
    await addDatabase(this.#socket, name);
    const as = (user: Role): Connection => ({
      ...{ host: "127.0.0.1", port: this.#port, database: name, user, password: this.#secrets[user] },
    });
    return {
      name,
      owner: as("timelift_owner"),
      loader: as("timelift_loader"),
      app: as("timelift_app"),
      readonly: as("timelift_readonly"),
    };
  }

  async drop(name: string): Promise<void> {
    await this.asSuperuser(superuser, (client) =>
      client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    );
  }

  asSuperuser<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    return asSuperuser(this.#socket, database, work);
  }

  /** Writes out what earlier work left, so that no contender pays for another. */
  async settle(): Promise<void> {
    await this.asSuperuser(superuser, (client) => client.query("CHECKPOINT"));
  }

  /** Where it listens, for people. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Cancels what the bench's own connections are doing. */
  async cancelQueries(): Promise<void> {
    await this.asSuperuser(superuser, (client) =>
      client.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()`,
      ),
    );
  }

  /** Milliseconds of processor time that the server has used until now, all of its processes together. */
  cpuMs(): number {
    return readTree(this.#pid).cpuMs;
  }

  /**
   * The settings that figures depend on.
   * @throws TimeliftError `bench-not-durable` when one that protects data is off
   */
  async settings(): Promise<ServerSettings> {
    const settings = await this.asSuperuser(superuser, readSettings);
    requireDurable(settings);
    return settings;
  }

  /** A file in the folder that the server's sandbox shows it. */
  async sharedFile(name: string): Promise<SharedFile> {
    const { rows } = await this.asSuperuser(superuser, (client) => client.query("SHOW config_file"));
    const folder = dirname(dirname(rows[0].config_file));
    return { path: join(this.#folder.path, basename(name)), seenByServer: join(folder, basename(name)) };
  }

  get #folder(): ServiceFolder {
    return new ServiceFolder(this.#stateDir, "timescaledb");
  }

  get #socket() {
    return { host: this.#folder.socketFolder, port: this.#port };
  }
}

export async function readSettings(client: pg.ClientBase): Promise<ServerSettings> {
  const { rows } = await client.query<{ name: keyof ServerSettings; value: string }>(
    "SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)",
    [settingsShown],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value])) as ServerSettings;
}

export function requireDurable(settings: ServerSettings): void {
  const off = (["fsync", "full_page_writes"] as const).filter((name) => settings[name] !== "on");
  if (off.length === 0) return;
  throw new TimeliftError({
    code: "bench-not-durable",
    subject: "server of the bench",
    problem: `${off.join(" and ")} is off: figures of a server that may lose data do not count`,
    remedy: `switch ${off.length > 1 ? "them" : "it"} on and run the bench again`,
  });
}
