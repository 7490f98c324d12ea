import type pg from "pg";
import { describeTarget } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { dumpFormat, dumpSchema } from "./schema-dump.ts";

/** The schema that a target had when its last migration run ended. */
export interface SchemaRecord {
  dump: string;
  /** `dumpFormat` of the timelift that wrote it. */
  format: number;
  /** The server that printed it, `PostgreSQL 17.6, TimescaleDB 2.19.3`. */
  server: string;
  /** The migrations that stood, `before-load/0001_tables`, in order. */
  migrations: string[];
  recordedAt: Date;
}

/**
 * Records the schema as it stands as the one that is expected, in place of what was recorded before. The owner runs it
 * when a migration run has ended, outside a transaction.
 */
export async function recordSchema(client: pg.ClientBase): Promise<void> {
  const dump = await dumpSchema(client);
  const values = [dump, dumpFormat, await describeServer(client), await readMigrations(client)];
  await client.query(makeTable);
  await client.query(
    `INSERT INTO timelift.schema_record (dump, format, server, migrations) VALUES ($1, $2, $3, $4)
     ON CONFLICT (one) DO UPDATE SET (dump, format, server, migrations, recorded_at)
       = (excluded.dump, excluded.format, excluded.server, excluded.migrations, excluded.recorded_at)`,
    values,
  );
}

// Who may enter the schema may look: a preview asks as timelift_readonly.
const makeTable = `
  CREATE TABLE IF NOT EXISTS timelift.schema_record (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    dump text NOT NULL, format integer NOT NULL, server text NOT NULL, migrations text[] NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT current_timestamp);
  GRANT SELECT ON timelift.schema_record TO PUBLIC;`;

/**
 * What was recorded last.
 * @throws TimeliftError `schema-unrecorded`
 */
export async function readRecord(client: pg.Client): Promise<SchemaRecord> {
  if (await isThere(client, "schema_record")) {
    const { rows } = await client.query<SchemaRecord>(
      `SELECT dump, format, server, migrations, recorded_at AS "recordedAt" FROM timelift.schema_record`,
    );
    if (rows[0]) return rows[0];
  }
  throw new TimeliftError({
    code: "schema-unrecorded",
    subject: describeTarget(client),
    problem: "no migration run has recorded its schema yet",
    remedy:
      "timelift up records it when it migrates; timelift schema --accept records what stands there now; " +
      "timelift schema --diff FILE compares with a file",
  });
}

/** The migrations that stand, `before-load/0001_tables`, in the order in which they run. */
export async function readMigrations(client: pg.ClientBase): Promise<string[]> {
  if (!(await isThere(client, "migration_checksum"))) return [];
  const { rows } = await client.query<{ name: string }>(
    `SELECT phase || '/' || name AS name FROM timelift.migration_checksum ORDER BY phase DESC, name COLLATE "C"`,
  );
  return rows.map(({ name }) => name);
}

/** Versions of the server, for people; the dump itself names none. */
export async function describeServer(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ server: string }>(
    `SELECT concat_ws(', ', 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1),
       (SELECT 'TimescaleDB ' || extversion FROM pg_extension WHERE extname = 'timescaledb')) AS server`,
  );
  return rows[0]?.server ?? "";
}

async function isThere(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query("SELECT to_regclass('timelift.' || $1) IS NOT NULL AS there", [table]);
  return rows[0].there;
}
