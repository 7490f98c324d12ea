import { type Connection, connect } from "../../loaders/connection.ts";

/** Rows of price_history in a database. */
export async function countRows(target: Connection): Promise<number> {
  const client = await connect(target, "bench: count");
  try {
    const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM price_history");
    return Number(rows[0]?.count);
  } finally {
    await client.end();
  }
}
