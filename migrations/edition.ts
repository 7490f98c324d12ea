import type pg from "pg";
import { describeTarget } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";

/**
 * What TimescaleDB can do by its licence: the Community edition (of the vendor) everything, the Apache edition (of
 * Debian and many managed services) neither columnstore nor continuous aggregates nor policies.
 */
export type Edition = "apache" | "community";

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
  return license === "apache" ? "apache" : "community";
}

/**
 * Migrations build their SQL for a declared edition, without asking the server: here the server is asked, before the
 * first of them runs.
 * @throws TimeliftError `edition-mismatch`
 */
export async function requireEdition(client: pg.Client, declared: Edition): Promise<void> {
  const actual = await readEdition(client);
  if (actual === null || actual === declared) return;
  throw new TimeliftError({
    code: "edition-mismatch",
    subject: describeTarget(client),
    problem: `it runs the ${actual} edition of TimescaleDB, and the migrations were built for the ${declared} edition`,
    remedy: `pulumi config set timelift:edition ${actual}`,
  });
}
