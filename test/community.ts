import { randomBytes } from "node:crypto";
import type pg from "pg";
import { type Connection, connect } from "../loaders/connection.ts";

const url = process.env.TIMELIFT_COMMUNITY_URL;

/** Why tests of the Community edition are skipped; undefined where a server is named. */
export const noCommunity = url
  ? undefined
  : "TIMELIFT_COMMUNITY_URL names no server with the Community edition of TimescaleDB";

/** A database on the server that TIMELIFT_COMMUNITY_URL names, as its superuser. */
export interface CommunityDatabase {
  owner: Connection;
  client: pg.Client;
  drop(): Promise<void>;
}

/**
 * Makes a database with TimescaleDB, whose jobs run when a test says so only. While it is there, no other test switches
 * the server's licence; `alone` waits until no other database of tests is there.
 */
export async function communityDatabase(name: string, { alone = false } = {}): Promise<CommunityDatabase> {
  const { hostname: host, port, pathname, username, password } = new URL(url as string);
  const server: Connection = {
    ...{ host, port: Number(port || 5432), database: pathname.slice(1) },
    ...{ user: decodeURIComponent(username), password: decodeURIComponent(password) },
  };
  const admin = await connect(server, "test");
  await admin.query(`SELECT pg_advisory_lock${alone ? "" : "_shared"}(hashtext('timelift tests: licence'))`);
  const database = `timelift_${name.replace(/\W/g, "_")}_${randomBytes(4).toString("hex")}`;
  await admin.query(`CREATE DATABASE ${database}`);
  const owner = { ...server, database };
  const client = await connect(owner, "test");
  await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb; CREATE SCHEMA timelift");
  await client.query("SELECT _timescaledb_functions.stop_background_workers()");
  return {
    owner,
    client,
    drop: async () => {
      await client.end();
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end();
    },
  };
}
