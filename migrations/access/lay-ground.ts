import type pg from "pg";
import { type Connection, connect } from "../../loaders/connection.ts";
import { requireServer } from "../edition.ts";
import type { Access, Logins } from "./check-access.ts";
import type { AccessDemand } from "./demand.ts";
import type { LoginFacts } from "./login-facts.ts";

/**
 * Makes what timelift itself needs in a database that lacks nothing else: the extension, where the owner may, and the
 * schema `timelift`, with the rights of the other logins in it. Safe to run again.
 * @returns the version of TimescaleDB
 * @throws TimeliftError as `requireServer`
 */
export async function layGround(
  logins: Logins,
  demand: AccessDemand,
  { makesExtension, roles }: Access,
  log: (line: string) => void,
): Promise<string> {
  // Where nothing is lacking, each login has connected.
  const { owner, loader, readonly } = roles as Record<keyof Logins, LoginFacts>;
  if (makesExtension) {
    await as(logins.owner, (client) => client.query("CREATE EXTENSION IF NOT EXISTS timescaledb"));
    log("made extension timescaledb");
  }
  const version = await as(logins.owner, async (client) => {
    const found = await requireServer(client, demand.edition);
    const { timelift } = owner.schemas;
    if (!timelift.there) {
      await client.query("CREATE SCHEMA timelift");
      log("made schema timelift");
    }
    if (timelift.there && !timelift.owns) return found;
    for (const [{ role, schemas }, privileges] of [
      [loader, "USAGE, CREATE"],
      [readonly, "USAGE"],
    ] as const) {
      const has = schemas.timelift.usage && (schemas.timelift.create || privileges === "USAGE");
      if (role !== owner.role && !has)
        await client.query(`GRANT ${privileges} ON SCHEMA timelift TO ${role}`);
    }
    return found;
  });
  const readers = new Set([owner.role, readonly.role].filter((role) => role !== loader.role));
  if (readers.size > 0) {
    await as(logins.loader, (client) =>
      client.query(
        `ALTER DEFAULT PRIVILEGES IN SCHEMA timelift GRANT SELECT ON TABLES TO ${[...readers].join(", ")}`,
      ),
    );
  }
  return version;
}

async function as<T>(login: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(login, "ground");
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
