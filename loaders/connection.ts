import pg from "pg";

/** Where a PostgreSQL database is and who connects. The password never leaves memory, environment or a 0600 file. */
export interface Connection {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
}

/** Opens one client; the caller ends it. `purpose` is what `pg_stat_activity` shows. */
export async function connect(connection: Connection, purpose: string): Promise<pg.Client> {
  const client = new pg.Client({ ...connection, application_name: `timelift ${purpose}` });
  await client.connect();
  return client;
}
