import { randomBytes } from "node:crypto";
import { type Connection, connect } from "../loaders/connection.ts";

/** A server with the Community edition of TimescaleDB, as a superuser; it is not started here. */
const url = process.env.TIMELIFT_COMMUNITY_URL;

/** Why tests of the Community edition are skipped; undefined where they run. */
export const noCommunity = url
  ? undefined
  : "TIMELIFT_COMMUNITY_URL names no server with the Community edition of TimescaleDB";

/** A database of a test's own on the Community server, in which no job runs by itself. */
export interface CommunityDatabase {
  owner: Connection;
  drop(): Promise<void>;
}

/** A fresh database with the extension and the schema `timelift`; `name` shows in the server's log. */
export async function communityDatabase(name: string): Promise<CommunityDatabase> {
  const { hostname: host, port, pathname, username, password } = new URL(url as string);
  const server: Connection = {
    ...{ host, port: Number(port || 5432), database: pathname.slice(1) },
    ...{ user: decodeURIComponent(username), password: decodeURIComponent(password) },
  };
  const database = `timelift_${name}_${randomBytes(4).toString("hex")}`;
  await execute(server, `CREATE DATABASE ${database}`);
  const owner = { ...server, database };
  await execute(owner, "CREATE EXTENSION IF NOT EXISTS timescaledb; CREATE SCHEMA timelift");
  await execute(owner, "SELECT _timescaledb_functions.stop_background_workers()");
  return { owner, drop: () => execute(server, `DROP DATABASE ${database} WITH (FORCE)`) };
}

async function execute(connection: Connection, sql: string): Promise<void> {
  const client = await connect(connection, "test");
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
