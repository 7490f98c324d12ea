import type pg from "pg";
import { describeTarget } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { diffSchemas, type ObjectDifference } from "./schema-diff.ts";
import { dumpFormat, dumpSchema } from "./schema-dump.ts";
import { describeServer, readMigrations, readRecord } from "./schema-record.ts";

/** What changed in a target since its last migration run, other than by migrations. */
export interface SchemaDrift {
  objects: ObjectDifference[];
  /** The servers that printed both sides, where they are of other versions: some may then only be worded otherwise. */
  servers?: { recorded: string; now: string };
}

/**
 * Compares a target with what its last migration run recorded; for the roles that `dumpSchema` is for.
 * @throws TimeliftError `schema-unrecorded`, `schema-unfinished`, `schema-format`
 */
export async function findDrift(client: pg.Client): Promise<SchemaDrift> {
  const record = await readRecord(client);
  if (record.format !== dumpFormat) throw otherFormat(client);
  const migrations = await readMigrations(client);
  if (migrations.join() !== record.migrations.join()) throw unfinished(client, record.migrations, migrations);
  const objects = diffSchemas(record.dump, await dumpSchema(client));
  const now = await describeServer(client);
  return now === record.server ? { objects } : { objects, servers: { recorded: record.server, now } };
}

function otherFormat(client: pg.Client): TimeliftError {
  return new TimeliftError({
    code: "schema-format",
    subject: describeTarget(client),
    problem: "its schema was recorded by a timelift that writes it in another form",
    remedy: "the next migration run records it anew; timelift schema --accept does it now",
  });
}

function unfinished(client: pg.Client, recorded: string[], standing: string[]): TimeliftError {
  const up = standing.filter((name) => !recorded.includes(name));
  const down = recorded.filter((name) => !standing.includes(name));
  const since = [...up.map((name) => `${name} up`), ...down.map((name) => `${name} down`)].join(", ");
  return new TimeliftError({
    code: "schema-unfinished",
    subject: describeTarget(client),
    problem: `a migration run has not come to its end (${since}), so nothing tells what its schema should be`,
    remedy: "wait for it where it still runs; else timelift up brings it to its end and records the schema",
  });
}
