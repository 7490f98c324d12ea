import { constants, copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { readFingerprint } from "../../loaders/source/fingerprint.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { strictThresholds } from "../../loaders/validate/thresholds.ts";
import type { ValidationReport } from "../../loaders/validation-report.ts";
import type { ValidateCommandRequest } from "../../stacks/resources/validation-provider.ts";
import type { BenchDatabase } from "./bench-server.ts";
import { growSource } from "./bench-source.ts";
import { benchWorkload } from "./bench-workload.ts";
import type { Arena, Run } from "./contender.ts";
import { measureProcess } from "./measured-process.ts";
import { requireRows } from "./require-rows.ts";
import { measureCommand, timeliftProgram } from "./timelift-command.ts";
import { copyPathOf, measureLoad } from "./timelift-contender.ts";

type OwnRun = Omit<Run, "serverCpuMs">;

/** `timelift validate` of every row of a database that was just loaded. */
export async function validate(arena: Arena, database: BenchDatabase): Promise<OwnRun> {
  const copyPath = copyPathOf(arena, database);
  const request: ValidateCommandRequest = {
    workload: benchWorkload(),
    source: arena.source.path,
    copyPath,
    expectedFingerprint: readFingerprint(arena.source.path),
    target: database.readonly,
    thresholds: strictThresholds,
  };
  const { result, ...run } = await measureCommand<ValidationReport>("validate", request, arena.signal);
  requireRows("timelift validate", result.rows, arena.source.rows);
  const failed = result.checks.find(({ status }) => status === "FAIL");
  if (failed === undefined) return run;
  throw new TimeliftError({
    code: "bench-validation",
    subject: failed.name,
    problem: `expected ${failed.expected}, found ${failed.actual}`,
    remedy: "report this as a bug: the load and its validation disagree",
  });
}

/** A load of a source that has not changed since the last one. */
export async function loadUnchanged(arena: Arena, database: BenchDatabase): Promise<OwnRun> {
  const { result, ...run } = await measureLoad(arena, database, arena.source.path);
  requireRows("an unchanged load", written(result.tables), 0);
  return run;
}

/** What Node and the CLI take to start and to end. */
export async function runEmpty(arena: Arena): Promise<OwnRun> {
  return measureProcess({
    name: "timelift --help",
    command: [...timeliftProgram, "--help"],
    signal: arena.signal,
  });
}

/** A load after `grownSource` has added its rows. */
export async function loadGrown(arena: Arena, database: BenchDatabase): Promise<OwnRun> {
  const { path, added } = grownSource(arena);
  const { result, ...run } = await measureLoad(arena, database, path);
  requireRows("an incremental load", written(result.tables), added);
  return run;
}

/** A copy of the source with 1 % more rows at its end; made once a run. */
export function grownSource({ source, folder }: Arena): { path: string; added: number } {
  const path = join(folder, "grown.db");
  const added = Math.ceil(source.rows / 100);
  if (!existsSync(path)) {
    copyFileSync(source.path, path, constants.COPYFILE_FICLONE);
    growSource(path, added, 1);
  }
  return { path, added };
}

function written(tables: Record<string, { inserted: number; updated: number; deleted: number }>): number {
  return Object.values(tables).reduce((sum, each) => sum + each.inserted + each.updated + each.deleted, 0);
}
