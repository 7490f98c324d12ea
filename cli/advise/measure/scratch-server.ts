import type pg from "pg";
import type { Connection } from "../../../loaders/connection.ts";
import { type Edition, readEdition } from "../../../migrations/edition.ts";
import { BenchServer } from "../../bench/bench-server.ts";
import { CommunityServer, readVersion, withClient } from "../../bench/community-server.ts";

/** One empty database of a measurement. */
export interface ScratchDatabase {
  owner: Connection;
  loader: Connection;
  reader: Connection;
}

/** Where a measurement makes its databases. */
export interface ScratchServer {
  edition: Edition;
  /** Version of TimescaleDB, and whose server it is. */
  title: string;
  /** An empty database in which no policy runs by itself. */
  fresh(name: string): Promise<ScratchDatabase>;
  /** Writes out what earlier work left. */
  settle(): Promise<void>;
  /** Takes the databases away again. */
  clear(): Promise<void>;
}

/** Policies would move and drop chunks while they are measured. */
const stopWorkers = "SELECT _timescaledb_functions.stop_background_workers()";

/** A server of the measurement's own, whose state is in `stateDir`; `BenchServer.remove` ends it. */
export async function ownServer(stateDir: string, log: (line: string) => void): Promise<ScratchServer> {
  const server = await BenchServer.start(stateDir, log);
  await server.settings();
  const about = await server.asSuperuser("bench", describe);
  return {
    ...about,
    async fresh(name) {
      const database = await server.freshDatabase(name);
      await server.asSuperuser(name, (client) => client.query(stopWorkers));
      return { owner: database.owner, loader: database.loader, reader: database.readonly };
    },
    settle: () => server.settle(),
    async clear() {},
  };
}

/**
 * Somebody's server with the Community edition; null where it has another.
 * @throws TimeliftError `bench-community-url`, `bench-not-durable`
 */
export async function communityServer(url: string): Promise<ScratchServer | null> {
  const server = new CommunityServer(url);
  const version = await server.version();
  if (version === undefined) return null;
  const made = new Map<string, Connection>();
  return {
    edition: "community",
    title: `TimescaleDB ${version} (community), the server of TIMELIFT_COMMUNITY_URL`,
    async fresh(name) {
      const full = `timelift_${name}_${process.pid}`;
      const database = await server.freshDatabase(full);
      made.set(full, database);
      await withClient(database, (client) => client.query(stopWorkers));
      return { owner: database, loader: database, reader: database };
    },
    async settle() {
      const [any] = made.values();
      if (any) await withClient(any, (client) => client.query("CHECKPOINT"));
    },
    async clear() {
      for (const name of made.keys()) await server.drop(name);
    },
  };
}

async function describe(client: pg.ClientBase): Promise<{ edition: Edition; title: string }> {
  const edition = (await readEdition(client)) ?? "apache";
  return { edition, title: `TimescaleDB ${await readVersion(client)} (${edition}), a server of its own` };
}
