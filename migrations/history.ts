import { createHash } from "node:crypto";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { MigrationFile, Phase } from "./migration-files.ts";
import { renderFixed } from "./render.ts";
import type { MigrationContext } from "./timescale.ts";

/** What is remembered of an applied migration, in the target and in Pulumi's state alike. */
export interface AppliedMigration {
  name: string;
  checksum: string;
  /** Digest of the workload options it was built with. */
  options: string;
  /** Digest of the SQL that they gave. */
  sql: string;
}

/** The migration in one word, for Pulumi's state; `parseApplied` reads it back. */
export function formatApplied({ checksum, options, sql }: AppliedMigration): string {
  return [checksum, options, sql].join(":");
}

export function parseApplied(name: string, text: string): AppliedMigration {
  const [checksum = "", options = "", sql = ""] = text.split(":");
  return { name, checksum, options, sql };
}

/** The facts of a migration's fixed part: objects may change with edition and config, apart from the history. */
export async function describeApplied(
  file: MigrationFile,
  context: MigrationContext,
): Promise<AppliedMigration> {
  const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  const options = Object.entries(context.options).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: file.name,
    checksum: file.checksum,
    options: digest(JSON.stringify(options)),
    sql: digest((await renderFixed(file, context)).join("\n")),
  };
}

/**
 * Refuses a past that the files no longer tell.
 * @throws TimeliftError `migration-missing`, `migration-edited`, `migration-options`, `migration-gap`
 */
export function checkHistory(phase: Phase, files: AppliedMigration[], applied: AppliedMigration[]): void {
  const problem = (code: string, name: string, text: string, remedy: string) =>
    new TimeliftError({ code, subject: `migrations ${phase}/${name}`, problem: text, remedy });

  for (const past of applied) {
    const file = files.find(({ name }) => name === past.name);
    if (!file) {
      throw problem(
        "migration-missing",
        past.name,
        "it was applied, and its file is gone",
        `bring the file back, or take it down from a checkout that has it: timelift migrate down ${past.name}`,
      );
    }
    if (file.checksum !== past.checksum) {
      throw problem(
        "migration-edited",
        past.name,
        `it was edited after it was applied (checksum ${file.checksum}, applied ${past.checksum})`,
        "undo the edit and write the change as a new migration",
      );
    }
    if (file.options !== past.options && file.sql !== past.sql) {
      throw problem(
        "migration-options",
        past.name,
        "timelift:workloadOptions changed after it was applied, and its SQL with them",
        `set the options back, or go down first: timelift migrate down ${past.name}`,
      );
    }
  }
  const last = applied.at(-1)?.name ?? "";
  const gap = files.find(({ name }) => name < last && !applied.some((past) => past.name === name));
  if (gap) {
    throw problem(
      "migration-gap",
      gap.name,
      `it was never applied, and the later ${last} was`,
      `give it a number after ${last}`,
    );
  }
}
