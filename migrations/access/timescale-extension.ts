import type pg from "pg";
import { isOlder } from "../../loaders/version-order.ts";
import { oldestTimescale } from "../edition.ts";

interface Known {
  /** PostgreSQL's version. */
  postgres: string;
  installed: string | null;
  /** The version that would be made. */
  available: string | null;
}

/** TimescaleDB as a database has it, or could. */
export interface ExtensionFacts extends Known {
  /** Whether the session's role may make it. */
  creatable: boolean;
  /** What to do where it may not, or could not; undefined where it is there. */
  hint?: string;
}

/**
 * Reads whether TimescaleDB is there. The server has to load it from the start, which shows in the settings that its
 * loader defines; a role needs CREATE on the database where the extension is trusted, or has to be a superuser.
 */
export async function readExtension(client: pg.ClientBase): Promise<ExtensionFacts> {
  const { rows } = await client.query<Known & { mayMake: boolean; grant: string; preloaded: boolean }>(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS postgres,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS installed,
       default_version AS available,
       coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
         OR trusted AND has_database_privilege(current_database(), 'CREATE'), false) AS "mayMake",
       CASE WHEN trusted THEN format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user)
         ELSE 'CREATE EXTENSION timescaledb;  -- as a superuser' END AS grant,
       current_setting('timescaledb.max_background_workers', true) IS NOT NULL AS preloaded
     FROM (VALUES (1)) AS one LEFT JOIN (
       SELECT e.default_version, v.trusted FROM pg_available_extensions e
         JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
       WHERE e.name = 'timescaledb') AS offered ON true`,
  );
  const { mayMake, grant, preloaded, ...known } = rows[0] as (typeof rows)[0];
  if (known.installed !== null) return { ...known, creatable: false };
  const missing = (hint: string): ExtensionFacts => ({ ...known, creatable: false, hint });
  if (known.available === null) {
    return missing("install TimescaleDB on the server, or choose a service that offers it");
  }
  if (isOlder(known.available, oldestTimescale)) {
    return missing(`install TimescaleDB ${oldestTimescale} or later; the server offers ${known.available}`);
  }
  if (!preloaded) {
    return missing(
      "shared_preload_libraries = 'timescaledb' in the server's settings, and a restart; then CREATE EXTENSION timescaledb;",
    );
  }
  return mayMake ? { ...known, creatable: true } : missing(grant);
}
