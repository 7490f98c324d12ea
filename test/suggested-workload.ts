import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { LoaderDefinition } from "../loaders/define-loader.ts";
import { inspectSource } from "../loaders/inspect/inspect-source.ts";
import { suggestWorkload, type WorkloadFiles } from "../loaders/inspect/suggest-workload.ts";
import type { LoadResult } from "../loaders/load-result.ts";
import type { RunLoadArgs } from "../loaders/run-load.ts";
import type { ExpectedHypertable } from "../loaders/validate/hypertable-checks.ts";
import { declaredHypertables } from "../migrations/declared.ts";
import { intervalText } from "../migrations/interval.ts";
import { migrate } from "../migrations/migrate.ts";
import { findWorkload } from "../stacks/workload.ts";
import type { LoadFixture } from "./load-fixture.ts";

const project = join(import.meta.dirname, "..");

/** What a source's suggested workload made of an empty target. */
export interface SuggestedLoad {
  loader: LoaderDefinition;
  hypertables: ExpectedHypertable[];
  load: LoadResult;
  /** Path in the workload's folder -> text. */
  files: WorkloadFiles;
}

/** Writes the workload that inspect suggests for a source, and does what a deployment does with it: tables, rows, keys. */
export async function loadSuggestion(
  at: LoadFixture,
  more: Partial<RunLoadArgs> & { source: string },
): Promise<SuggestedLoad> {
  const path = join(at.folder, "suggested");
  const files = suggestWorkload(inspectSource(more.source), relative(path, project));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  const { name, loader, migrationsDir, context } = await findWorkload({
    name: "suggested",
    path,
    options: {},
  });
  const target = at.database.owner;
  await migrate({ target, workloadDir: migrationsDir, phase: "before-load", context }, () => {});
  const load = await at.load(loader, { workload: name, ...more });
  await migrate({ target, workloadDir: migrationsDir, phase: "after-load", context }, () => {});
  const hypertables = (await declaredHypertables(migrationsDir, context)).map(({ table, time, chunk }) => ({
    ...{ table, column: time, interval: intervalText(chunk) },
  }));
  return { loader, hypertables, load, files };
}
