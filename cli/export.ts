import { resolve } from "node:path";
import { Command } from "commander";
import { type ExportEvent, type ExportReport, runExport } from "../loaders/export/run-export.ts";
import { renderLines } from "../loaders/validate/render-lines.ts";
import { exclusively } from "../stacks/platforms/native/lock.ts";
import { findWorkload, workloadReference } from "../stacks/workload.ts";

const msBetweenLines = 2000;

interface ExportOptions {
  stack: string;
  tables?: string;
  schemaFrom?: string;
  force: boolean;
}

/**
 * `timelift export FILE.db`: writes the rows of a stack's target into a SQLite file with the application's own schema,
 * and compares every row; exit code 1, and no file of that name, when one differs.
 */
export function exportCommand(): Command {
  return new Command("export")
    .description(
      "Writes a SQLite file in the application's own schema from the target, and compares every row.",
    )
    .argument("<file>", "the file to write")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--tables <names>", "target tables, separated by commas; the others stay empty")
    .option(
      "--schema-from <file>",
      "a SQLite file of the application, if the target knows no schema or an old one",
    )
    .option("--force", "replace a file of that name", false)
    .action(async (file: string, options: ExportOptions) => {
      const report = await exportStack(file, options);
      for (const line of describe(report, file)) console.log(line);
      if (report.validation.status === "FAIL") process.exitCode = 1;
    });
}

async function exportStack(
  file: string,
  { stack, tables, schemaFrom, force }: ExportOptions,
): Promise<ExportReport> {
  const { readStackConfig } = await import("./stack-config.ts");
  const { connectionAs } = await import("./stack-services.ts");
  const target = await connectionAs(stack, "timelift_readonly");
  const { name, loader } = await findWorkload(workloadReference(await readStackConfig(stack)));
  const path = resolve(file);
  // Two exports to one name take turns; the second finds the file of the first.
  return exclusively(`export ${path}`, () =>
    runExport({
      ...{ workload: name, loader, target, force, signal: untilSignal(), events: reporter() },
      file: path,
      ...(schemaFrom !== undefined && { schemaFrom: resolve(schemaFrom) }),
      ...(tables !== undefined && { tables: tables.split(",").map((each) => each.trim()) }),
    }),
  );
}

/** Progress for people, on stderr. */
function reporter(): (event: ExportEvent) => void {
  let last = performance.now();
  let table = "";
  let from = last;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  return (event) => {
    const now = performance.now();
    if (event.kind === "step") say(event.what);
    if (event.kind === "written") {
      say(`${event.table}: ${counted(event.rows)} rows, ${rate(event.rows, event.ms)}`);
    }
    if (event.kind !== "rows") return;
    if (event.table !== table) [table, from] = [event.table, now];
    if (now - last < msBetweenLines) return;
    last = now;
    say(`writing ${table}: ${counted(event.rows)} rows, ${rate(event.rows, now - from)}`);
  };
}

function describe({ validation, rows, ms, kept, spellings, notes }: ExportReport, file: string): string[] {
  const isGood = validation.status === "PASS";
  return [
    ...renderLines(validation),
    ...kept.map(({ sidecar, rows, why }) => `kept in ${sidecar}: ${counted(rows)} rows; ${why}`),
    ...spellings.map(
      ({ column, values, counted: exact }) =>
        `spelled alike: ${column}, ${exact ? "" : "about "}${counted(values)} values of the source were spelled differently`,
    ),
    ...notes.map((note) => `note: ${note}`),
    isGood
      ? `${file}: ${counted(rows)} rows in ${(ms / 1000).toFixed(1)} s, ${rate(rows, ms)}`
      : `${file} was not written; what differs from the target lies in ${file}.part`,
  ];
}

function counted(rows: number): string {
  return rows.toLocaleString("en-US");
}

function rate(rows: number, ms: number): string {
  return `${counted(Math.round((rows / Math.max(ms, 1)) * 1000))} rows/s`;
}

/** Ctrl-C takes away what was written; a second one ends the process at once. */
function untilSignal(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => abort.abort(new Error(signal === "SIGINT" ? "Ctrl-C" : signal)));
  }
  return abort.signal;
}
