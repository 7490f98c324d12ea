import type pg from "pg";
import { describeTarget } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { isOlder } from "../loaders/version-order.ts";

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
export const oldestTimescale = "2.17";

/** A server that migrations cannot run on: what it is, and what to do. */
export interface Unsupported {
  code: "postgres-version" | "timescaledb-missing" | "timescaledb-version";
  problem: string;
  remedy: string;
}

/**
 * Whether a server's versions are out of reach; undefined where they are supported.
 * @param postgres major version of PostgreSQL
 * @param version of TimescaleDB, null where the extension is not there
 */
export function unsupportedServer(postgres: number, version: string | null): Unsupported | undefined {
  if (postgres < oldestPostgres || postgres > newestPostgres) {
    return {
      code: "postgres-version",
      problem: `it runs PostgreSQL ${postgres}; timelift works with ${oldestPostgres} to ${newestPostgres}`,
      remedy: "move to one of these, or, for a newer one, look for a newer timelift",
    };
  }
  if (version === null) {
    return {
      code: "timescaledb-missing",
      problem: "the extension timescaledb is not there",
      remedy: "as a superuser: CREATE EXTENSION timescaledb",
    };
  }
  if (!isOlder(version, oldestTimescale)) return undefined;
  return {
    code: "timescaledb-version",
    problem: `it runs TimescaleDB ${version}; timelift works with ${oldestTimescale} and later`,
    remedy:
      "install a newer one, then, as the first statement of a connection: ALTER EXTENSION timescaledb UPDATE",
  };
}

/**
 * Migrations build their SQL for a declared edition, without asking the server: here the server is asked, before the
 * first of them runs.
 * @returns the version of TimescaleDB
 * @throws TimeliftError as `unsupportedServer`; `edition-mismatch`
 */
export async function requireServer(client: pg.Client, declared: Edition): Promise<string> {
  const subject = describeTarget(client);
  const { rows } = await client.query<{ postgres: number; version: string | null }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS postgres,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS version`,
  );
  const { postgres = 0, version = null } = rows[0] ?? {};
  const unsupported = unsupportedServer(postgres, version);
  if (unsupported) throw new TimeliftError({ subject, ...unsupported });
  const actual = await readEdition(client);
  if (actual === null || actual === declared) return version ?? "";
  throw new TimeliftError({
    code: "edition-mismatch",
    subject,
    problem: `it runs the ${actual} edition of TimescaleDB, and the migrations were built for the ${declared} edition`,
    remedy: `pulumi config set timelift:edition ${actual}`,
  });
}
