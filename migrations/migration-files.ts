import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { MigrationBuilder } from "node-pg-migrate";
import { importFile } from "../loaders/import-file.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { MigrationContext, TimescaleMigration } from "./timescale.ts";

/** The two times at which migrations run; each keeps a history of its own. */
export const phases = ["before-load", "after-load"] as const;
export type Phase = (typeof phases)[number];

/** One migration file. */
export interface MigrationFile {
  /** File name without extension, e.g. `0001_reference_tables`. */
  name: string;
  path: string;
  /** SHA-256 of the text, line ends unified; an applied file never changes it. */
  checksum: string;
}

/** What a migration file exports. */
export interface MigrationActions {
  up: ((pgm: MigrationBuilder, context: MigrationContext) => void) | TimescaleMigration;
  down: (pgm: MigrationBuilder, context: MigrationContext) => void;
}

const pattern = /^\d{4}_[a-z0-9_]+\.ts$/;

/**
 * The files of one phase, in the order in which they run. A missing folder is a phase without migrations.
 * @throws TimeliftError `migration-name` for a name that gives no order, or a number used twice
 */
export function listMigrations(workloadDir: string, phase: Phase): MigrationFile[] {
  const dir = resolve(workloadDir, phase);
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir)
    .filter((name) => !name.startsWith("."))
    .sort();
  names.forEach((name, index) => {
    const twice = index > 0 && names[index - 1]?.slice(0, 4) === name.slice(0, 4);
    if (pattern.test(name) && !twice) return;
    throw new TimeliftError({
      code: "migration-name",
      subject: `${phase}/${name}`,
      problem: twice ? "its number is taken by another migration" : "the name gives no order",
      remedy: "name it NNNN_what_it_does.ts, with the next free number",
    });
  });
  return names.map((name) => {
    const text = readFileSync(join(dir, name), "utf8").replaceAll("\r\n", "\n");
    return {
      name: name.replace(/\.ts$/, ""),
      path: join(dir, name),
      checksum: createHash("sha256").update(text).digest("hex").slice(0, 16),
    };
  });
}

/**
 * Loads a migration by Node's own import, anew when its text changed.
 * @throws TimeliftError `workload-import`, `migration-exports` when it lacks `up` or `down`
 */
export async function importMigration(file: MigrationFile): Promise<MigrationActions> {
  const module = await importFile<MigrationActions>(file.path, file.checksum);
  if (typeof module.up !== "function" || typeof module.down !== "function") {
    throw new TimeliftError({
      code: "migration-exports",
      subject: file.path,
      problem: "it does not export both `up` and `down`",
      remedy: "export const up = timescale((db) => { … }); export const down = up.reverse;",
    });
  }
  return module as MigrationActions;
}
