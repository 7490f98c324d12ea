import { MigrationBuilder } from "node-pg-migrate";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { intervalText } from "./interval.ts";
import { importMigration, listMigrations, type MigrationFile, phases } from "./migration-files.ts";
import type { DeclaredHypertable, MigrationContext, TimescaleMigration } from "./timescale.ts";

/**
 * The SQL that a migration runs, line by line, built without a connection.
 * @throws TimeliftError `migration-queries` when the file asks the database while it builds SQL
 */
export async function renderUp(file: MigrationFile, context: MigrationContext): Promise<string[]> {
  const { up } = await importMigration(file);
  const refuse = () => {
    throw new TimeliftError({
      code: "migration-queries",
      subject: file.path,
      problem: "it queries the database while it builds its SQL, so no preview can show what it will do",
      remedy: "declare what should be; put a condition into the SQL itself",
    });
  };
  const silent = { info() {}, warn() {}, error() {} };
  const pgm = new MigrationBuilder({ query: refuse, select: refuse }, {}, false, silent);
  up(pgm, context);
  return pgm
    .getSqlSteps()
    .flatMap((step) => step.split("\n"))
    .filter((line) => line.trim() !== "");
}

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
