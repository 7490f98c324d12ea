import { rmSync } from "node:fs";
import { join } from "node:path";
import type { LoadResult } from "../../loaders/load-result.ts";
import packageJson from "../../package.json" with { type: "json" };
import { copyPathIn } from "../../stacks/resources/source-folder.ts";
import type { LoadCommandRequest } from "../../stacks/resources/sqlite-load-provider.ts";
import type { BenchDatabase } from "./bench-server.ts";
import { addKey, benchWorkload, makeTables } from "./bench-workload.ts";
import type { Arena, Contender } from "./contender.ts";
import { requireRows } from "./require-rows.ts";
import { measureCommand } from "./timelift-command.ts";

/** timelift itself, as `pulumi up` runs it: its private copy of the source is part of the time. */
export const timelift: Contender = {
  name: "timelift",
  program: "timelift",
  isOurs: true,
  title: "timelift",
  secondsPerMillion: 4,
  version: async () => ({ version: packageJson.version }),
  async prepare(arena, database) {
    rmSync(stateFolder(arena, database), { recursive: true, force: true });
    await makeTables(database.owner);
  },
  async run(arena, database) {
    const load = await measureLoad(arena, database, arena.source.path);
    requireRows("timelift", load.result.rows, arena.source.rows);
    const key = await addKey(database.owner);
    const steps = { load: load.wallMs, key };
    return { wallMs: load.wallMs + key, cpuMs: load.cpuMs, memoryMb: load.memoryMb, steps };
  },
};

/** One `timelift load` of `source` into a database whose earlier loads, if any, are known by their state folder. */
export function measureLoad(arena: Arena, database: BenchDatabase, source: string) {
  const request: LoadCommandRequest = {
    workload: benchWorkload(),
    source,
    copyPath: copyPathOf(arena, database),
    target: database.loader,
  };
  return measureCommand<LoadResult>("load", request, arena.signal);
}

/** The private copy of the source that the loads into a database share. */
export function copyPathOf(arena: Arena, database: BenchDatabase): string {
  return copyPathIn(stateFolder(arena, database));
}

function stateFolder(arena: Arena, database: BenchDatabase): string {
  return join(arena.folder, database.name);
}
