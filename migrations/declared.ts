import { intervalText } from "./interval.ts";
import { importMigration, listMigrations, phases } from "./migration-files.ts";
import type { DeclaredHypertable, MigrationContext, TimescaleMigration } from "./timescale.ts";

/** Every hypertable that a workload's migrations declare. */
export async function declaredHypertables(
  workloadDir: string,
  context: MigrationContext,
): Promise<DeclaredHypertable[]> {
  const declared = await declarations(workloadDir);
  return declared.flatMap((migration) => migration.hypertables(context));
}

/** Table -> age from which a workload's migrations want its chunks in the columnstore, `90 days`; on either edition. */
export async function columnstoreAges(
  workloadDir: string,
  context: MigrationContext,
): Promise<Record<string, string>> {
  const declared = await declarations(workloadDir);
  const policies = declared.flatMap((migration) => migration.columnstorePolicies(context));
  return Object.fromEntries(policies.map(({ table, after }) => [table, intervalText(after)]));
}

/** The migrations of both phases that are written in the vocabulary; others declare nothing. */
async function declarations(workloadDir: string): Promise<TimescaleMigration[]> {
  const files = phases.flatMap((phase) => listMigrations(workloadDir, phase));
  const ups = await Promise.all(files.map(async (file) => (await importMigration(file)).up));
  return ups.filter((up): up is TimescaleMigration => "hypertables" in up);
}
