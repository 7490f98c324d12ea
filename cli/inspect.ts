import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { Command } from "commander";
import { type Inspection, inspectSource } from "../loaders/inspect/inspect-source.ts";
import { inspectionJson } from "../loaders/inspect/inspection-json.ts";
import { renderInspection } from "../loaders/inspect/render-inspection.ts";
import { suggestWorkload, type WorkloadFiles } from "../loaders/inspect/suggest-workload.ts";
import { openSnapshot } from "../loaders/source/snapshot.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";

interface InspectOptions {
  table?: string;
  all: boolean;
  json: boolean;
  loader: boolean;
  write?: string;
}

const project = resolve(import.meta.dirname, "..");

/** `timelift inspect FILE`: what a SQLite file really holds, what suits it in the target, and what to declare. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .description(
      "What a SQLite file really holds, and what a loader has to declare for it. Writes nothing there.",
    )
    .argument("<file>", "the SQLite file")
    .option("--table <name>", "only this table or view")
    .option("--all", "read every row, not a sample of tables beyond 200,000", false)
    .option("--json", "everything, for machines", false)
    .option("--loader", "a complete workload to start from: loader and migrations", false)
    .option("--write <folder>", "write that workload into a new folder (timelift:workloadPath)")
    .action(async (file: string, options: InspectOptions) => {
      const inspection = await inspectFile(file, options);
      if (options.write !== undefined) writeWorkload(inspection, options.write);
      else if (options.loader) printWorkload(suggestWorkload(inspection, "../.."));
      else if (options.json) console.log(inspectionJson(inspection));
      else console.log(renderInspection(inspection).join("\n"));
    });
}

/**
 * Reads a private copy, so that the application may go on writing. The copy loses its name as soon as it is open, so
 * that nothing is left behind whenever the inspection is interrupted.
 */
async function inspectFile(file: string, { table, all }: InspectOptions): Promise<Inspection> {
  const folder = mkdtempSync(join(tmpdir(), "timelift-inspect-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const stop = () => {
    remove();
    process.exit(130);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    const { path } = await openSnapshot(file, join(folder, "source.db"));
    process.off("SIGINT", stop).off("SIGTERM", stop);
    return inspectSource(path, {
      ...{ name: basename(file), opened: remove },
      ...(table === undefined ? {} : { table }),
      ...(all ? { sampleRows: Number.POSITIVE_INFINITY } : {}),
    });
  } finally {
    remove();
  }
}

function printWorkload(files: WorkloadFiles): void {
  const texts = Object.entries(files).map(([path, text]) => `// ${path}\n${text}`);
  console.log(texts.join("\n").trimEnd());
}

function writeWorkload(inspection: Inspection, folder: string): void {
  const files = suggestWorkload(inspection, relative(resolve(folder), project) || ".");
  for (const path of Object.keys(files)) {
    if (!existsSync(join(folder, path))) continue;
    throw new TimeliftError({
      code: "workload-exists",
      subject: join(folder, path),
      problem: "the file is there already, and a suggestion does not replace it.",
      remedy: "Name a new folder.",
    });
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    console.log(join(folder, path));
  }
}
