import type pg from "pg";

/**
 * Connections that a role may still open to this database: what the server, the database and the role have left. A
 * session of others shows to an ordinary role with its database only, so those of background workers are counted in.
 */
export async function readFreeConnections(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ free: number }>(
    `WITH session AS (
       SELECT datname, usename FROM pg_stat_activity
       WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend')
     SELECT least(
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) - (SELECT count(*) FROM session),
       (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
         - (SELECT count(*) FROM session WHERE datname = current_database()),
       (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = session_user)
         - (SELECT count(*) FROM session WHERE usename = session_user))::int AS free`,
  );
  return rows[0]?.free ?? 0;
}
