import { MigrationBuilder } from "node-pg-migrate";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { importMigration, type MigrationFile } from "./migration-files.ts";
import type { MigrationContext } from "./timescale.ts";

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
