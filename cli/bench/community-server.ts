import type pg from "pg";
import { type Connection, connect } from "../../loaders/connection.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { readEdition } from "../../migrations/edition.ts";
import { readSettings, requireDurable } from "./bench-server.ts";

/** Somebody's server with the Community edition, in which measurements make databases of their own. */
export class CommunityServer {
  readonly #connection: Connection;

  /**
   * @param url a superuser's
   * @throws TimeliftError `bench-community-url`
   */
  constructor(url: string) {
    this.#connection = connectionOf(url);
  }

  /** An empty database of that name, with TimescaleDB and the loader's schema; an older one goes. */
  async freshDatabase(name: string): Promise<Connection> {
    await this.drop(name);
    await withClient(this.#connection, (client) => client.query(`CREATE DATABASE ${name}`));
    const database = { ...this.#connection, database: name };
    await withClient(database, (client) => client.query("CREATE EXTENSION IF NOT EXISTS timescaledb"));
    await withClient(database, (client) => client.query("CREATE SCHEMA IF NOT EXISTS timelift"));
    return database;
  }

  async drop(name: string): Promise<void> {
    await withClient(this.#connection, (client) =>
      client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    );
  }

  /** Works in an empty database that is gone afterwards. */
  async withDatabase<T>(name: string, work: (database: Connection) => Promise<T>): Promise<T> {
    try {
      return await work(await this.freshDatabase(name));
    } finally {
      await this.drop(name);
    }
  }

  /**
   * Version of TimescaleDB, where it is the Community edition; undefined where it is another.
   * @throws TimeliftError `bench-not-durable`
   */
  async version(): Promise<string | undefined> {
    return this.withDatabase(`timelift_bench_${process.pid}`, (database) =>
      withClient(database, async (client) => {
        requireDurable(await readSettings(client));
        return (await readEdition(client)) === "community" ? readVersion(client) : undefined;
      }),
    );
  }
}

/** Version of TimescaleDB in a database. */
export async function readVersion(client: pg.ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ version: string }>(
    "SELECT extversion AS version FROM pg_extension WHERE extname = 'timescaledb'",
  );
  return rows[0]?.version;
}

/** Opens a connection for a measurement, and ends it after `work`. */
export async function withClient<T>(target: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(target, "bench");
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function connectionOf(url: string): Connection {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new TimeliftError({
      code: "bench-community-url",
      subject: "TIMELIFT_COMMUNITY_URL",
      problem: "it is no PostgreSQL URL",
      remedy: "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, of a superuser",
    });
  }
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 5432),
    database: decodeURIComponent(pathname.slice(1)) || "postgres",
    user: decodeURIComponent(username) || "postgres",
    password: decodeURIComponent(password),
  };
}
