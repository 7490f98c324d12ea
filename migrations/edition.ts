import type pg from "pg";
import { describeTarget } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";

/**
 * What TimescaleDB can do by its licence: the Community edition (of the vendor) everything, the Apache edition (of
 * Debian and many managed services) neither columnstore nor continuous aggregates nor policies.
 */
export type Edition = "apache" | "community";

/** What `timescaledb.license` says on each. */
export const licences: Record<Edition, string> = { apache: "apache", community: "timescale" };

/** The edition that SQL is built for where nothing else is said. */
export function editionOf({ edition = "apache" }: { edition?: Edition }): Edition {
  return edition;
}

/** The edition that the database runs, null where TimescaleDB is not loaded. */
export async function readEdition(client: pg.ClientBase): Promise<Edition | null> {
  const { rows } = await client.query<{ license: string | null }>(
    "SELECT current_setting('timescaledb.license', true) AS license",
  );
  const license = rows[0]?.license;
  if (!license) return null;
  return license === licences.apache ? "apache" : "community";
}

/** What of a server migrations need. */
const oldestPostgres = 15;
const newestPostgres = 18;
const oldestTimescale = "2.17";

/**
 * Migrations build their SQL for a declared edition, without asking the server: here the server is asked, before the
 * first of them runs.
 * @returns the version of TimescaleDB
 * @throws TimeliftError `postgres-version`, `timescaledb-missing`, `timescaledb-version`, `edition-mismatch`
 */
export async function requireServer(client: pg.Client, declared: Edition): Promise<string> {
  const subject = describeTarget(client);
  const refuse = (code: string, problem: string, remedy: string) =>
    new TimeliftError({ code, subject, problem, remedy });
  const { rows } = await client.query<{ postgres: number; version: string | null }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS postgres,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS version`,
  );
  const { postgres = 0, version = null } = rows[0] ?? {};
  if (postgres < oldestPostgres || postgres > newestPostgres) {
    throw refuse(
      "postgres-version",
      `it runs PostgreSQL ${postgres}; timelift works with ${oldestPostgres} to ${newestPostgres}`,
      "move to one of these, or, for a newer one, look for a newer timelift",
    );
  }
  if (version === null) {
    throw refuse(
      "timescaledb-missing",
      "the extension timescaledb is not there",
      "as a superuser: CREATE EXTENSION timescaledb",
    );
  }
  if (isOlder(version, oldestTimescale)) {
    throw refuse(
      "timescaledb-version",
      `it runs TimescaleDB ${version}; timelift works with ${oldestTimescale} and later`,
      "install a newer one, then, as the first statement of a connection: ALTER EXTENSION timescaledb UPDATE",
    );
  }
  const actual = await readEdition(client);
  if (actual === null || actual === declared) return version;
  throw refuse(
    "edition-mismatch",
    `it runs the ${actual} edition of TimescaleDB, and the migrations were built for the ${declared} edition`,
    `pulumi config set timelift:edition ${actual}`,
  );
}

/** Compares major and minor version. */
export function isOlder(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = minimum.split(".").map(Number);
  return major !== leastMajor ? major < leastMajor : minor < leastMinor;
}
