import { join } from "node:path";
import { type Connection, connect } from "../../loaders/connection.ts";
import { readEdition } from "../../migrations/edition.ts";
import { migrate } from "../../migrations/migrate.ts";
import { listMigrations } from "../../migrations/migration-files.ts";
import { renderUp } from "../../migrations/render.ts";
import { findWorkload, type WorkloadReference } from "../../stacks/workload.ts";

/** The workload that the bench loads, under the given options (`workload/loader.ts` declares them). */
export function benchWorkload(options: Record<string, unknown> = {}): WorkloadReference {
  return { name: "bench", path: join(import.meta.dirname, "workload"), options };
}

/** Makes the empty hypertable in a database. */
export async function makeTables(owner: Connection, reference = benchWorkload()): Promise<void> {
  const { migrationsDir, context } = await migrationsFor(owner, reference);
  await migrate({ target: owner, workloadDir: migrationsDir, phase: "before-load", context }, () => {});
}

const keyMigration = "0001_price_history_key";

/**
 * Runs the statement that builds the primary key, and nothing else: what every contender pays for its key.
 * @returns milliseconds
 */
export async function addKey(owner: Connection, reference = benchWorkload()): Promise<number> {
  const { migrationsDir, context } = await migrationsFor(owner, reference);
  const files = listMigrations(migrationsDir, "after-load").filter(({ name }) => name === keyMigration);
  const statements = await Promise.all(files.map((file) => renderUp(file, context)));
  const client = await connect(owner, "bench: key");
  try {
    const start = performance.now();
    await client.query(statements.flat().join("\n"));
    return performance.now() - start;
  } finally {
    await client.end();
  }
}

/** The workload's migrations, for the edition of the server at hand. */
async function migrationsFor(owner: Connection, reference: WorkloadReference) {
  const { migrationsDir, context } = await findWorkload(reference);
  const client = await connect(owner, "bench: edition");
  try {
    const edition = (await readEdition(client)) ?? "apache";
    return { migrationsDir, context: { ...context, edition } };
  } finally {
    await client.end();
  }
}
