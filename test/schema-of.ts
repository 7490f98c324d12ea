import type pg from "pg";
import { type Connection, connect } from "../loaders/connection.ts";
import { renderDifferences } from "../migrations/schema-diff.ts";
import { findDrift } from "../migrations/schema-drift.ts";
import { dumpSchema } from "../migrations/schema-dump.ts";

/** Opens a connection, and ends it after `work`. */
export async function asked<T>(connection: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(connection, "test");
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs one query after the other. */
export const run = (connection: Connection, ...queries: string[]) =>
  asked(connection, async (client) => {
    for (const query of queries) await client.query(query);
  });

export const dump = (connection: Connection) => asked(connection, dumpSchema);

/** The lines that differ from what was recorded. */
export const drift = async (connection: Connection) => {
  const { objects } = await asked(connection, findDrift);
  return renderDifferences(objects);
};
