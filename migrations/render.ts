import { MigrationBuilder } from "node-pg-migrate";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { importMigration, type MigrationActions, type MigrationFile } from "./migration-files.ts";
import type { MigrationContext } from "./timescale.ts";

/**
 * The SQL that a migration runs, line by line, built without a connection; what follows its commit comes last.
 * @throws TimeliftError `migration-queries` when the file asks the database while it builds SQL
 */
export async function renderUp(file: MigrationFile, context: MigrationContext): Promise<string[]> {
  const { up } = await importMigration(file);
  const settle =
    "realisations" in up ? up.realisations(context).flatMap((realisation) => realisation.settle ?? []) : [];
  const after = settle.length > 0 ? ["-- after its commit:", ...settle] : [];
  return [...built(file, context, up), ...linesOf(after)];
}

/** The SQL of a migration's way back, likewise; its objects go before that, as the target remembers them. */
export async function renderDown(file: MigrationFile, context: MigrationContext): Promise<string[]> {
  const { down } = await importMigration(file);
  return built(file, context, down);
}

/** The part of its way up that is the same on every edition and under every setting of a hypertable. */
export async function renderFixed(file: MigrationFile, context: MigrationContext): Promise<string[]> {
  const { up } = await importMigration(file);
  return built(file, context, "fixed" in up ? up.fixed : up);
}

function built(file: MigrationFile, context: MigrationContext, up: MigrationActions["up"]): string[] {
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
  return linesOf(pgm.getSqlSteps());
}

function linesOf(statements: string[]): string[] {
  return statements.flatMap((step) => step.split("\n")).filter((line) => line.trim() !== "");
}
