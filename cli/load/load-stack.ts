import { resolve } from "node:path";
import type { LoaderDefinition } from "../../loaders/define-loader.ts";
import type { LoadEvent } from "../../loaders/load-event.ts";
import { isNarrowed, narrowLoader } from "../../loaders/narrow-loader.ts";
import type { MaxRejects } from "../../loaders/reject-limit.ts";
import { runLoad } from "../../loaders/run-load.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import { planSource } from "../../loaders/source/scan-source.ts";
import { openSnapshot } from "../../loaders/source/snapshot.ts";
import { columnstoreAges, declaredHypertables, declaredKeys } from "../../migrations/declared.ts";
import { copyPathIn } from "../../stacks/resources/source-folder.ts";
import { findWorkload, type Workload, workloadReference } from "../../stacks/workload.ts";
import { projectDir } from "../backend.ts";
import { readStackConfig } from "../stack-config.ts";
import { connectionAs, stackFolder } from "../stack-services.ts";
import { JsonLines } from "./json-lines.ts";
import type { LoadView } from "./load-view.ts";
import { type NarrowingOptions, narrowingOf } from "./narrowing-options.ts";
import { type OutlookArgs, outlookOf, requireNothingLeft } from "./outlook.ts";
import { PlainLines } from "./plain-lines.ts";
import { resultText } from "./progress-text.ts";
import { showLoadStatus } from "./status.ts";

/** The options of `timelift load` for people. */
export interface LoadOptions extends NarrowingOptions {
  stack: string;
  source?: string;
  workers?: number;
  force: boolean;
  maxRejects?: MaxRejects;
  metricsPort?: number;
  dryRun: boolean;
  json: boolean;
  status: boolean;
  watch: boolean;
}

/** Loads the source of a stack, or says how far that is, as the options have it. */
export async function loadStack(options: LoadOptions): Promise<void> {
  const args = await argsOf(options);
  if (options.status) return showLoadStatus(args.target, args.workload, options);
  return options.dryRun ? preview(args, options) : load(args, options);
}

async function argsOf(options: LoadOptions): Promise<OutlookArgs> {
  const { stack, force } = options;
  const target = await connectionAs(stack, "timelift_loader");
  const config = await readStackConfig(stack);
  const workload = await findWorkload(workloadReference(config));
  const source = options.source ? resolve(options.source) : resolve(projectDir, config.source);
  const copyPath = copyPathIn(stackFolder(stack));
  const context = { ...workload.context, hypertables: config.hypertables };
  const args = {
    ...{ workload: workload.name, loader: workload.loader, source, copyPath, target, force },
    columnstoreAfter: () => columnstoreAges(workload.migrationsDir, context),
    keys: () => declaredKeys(workload.migrationsDir, context),
    maxRejects: options.maxRejects ?? config.maxRejects,
  };
  if (options.status) return args;
  const loader = await chosenRows(workload, source, copyPath, options);
  const narrowed = { ...args, loader };
  if (loader !== workload.loader && !force) await requireNothingLeft(narrowed);
  return narrowed;
}

/** A workload's loader as the options narrow it; the same one where they leave nothing out. */
async function chosenRows(
  { loader, migrationsDir, context }: Workload,
  source: string,
  copyPath: string,
  options: NarrowingOptions,
): Promise<LoaderDefinition> {
  const narrowing = narrowingOf(options);
  if (!isNarrowed(narrowing)) return loader;
  const { path } = await openSnapshot(source, copyPath, { inPlace: true });
  const { schema } = planSource(path, loader);
  return narrowLoader(loader, narrowing, {
    schema,
    hypertables: await declaredHypertables(migrationsDir, context),
  });
}

async function preview(args: OutlookArgs, { json }: LoadOptions): Promise<void> {
  const tables = await outlookOf(args);
  if (json) return console.log(JSON.stringify({ kind: "outlook", tables }));
  const width = Math.max(...tables.map(({ table }) => table.length));
  for (const { table, rows, change } of tables) {
    const total = change.includes(" to load") || change === "no rows" ? "" : `${rowCount(rows)}; `;
    console.log(`${table.padEnd(width)}  ${total}${change}`);
  }
}

async function load(args: OutlookArgs, options: LoadOptions): Promise<void> {
  const { workers, force } = options;
  const json = options.json ? new JsonLines((line) => console.log(line)) : undefined;
  const view = json ?? (await viewFor(Object.keys(args.loader.tables)));
  const metrics = await metricsOf(args.workload, options);
  try {
    const result = await runLoad({
      ...args,
      workers,
      force,
      signal: untilSignal(),
      events: (event) => {
        view.take(event);
        metrics?.take(event);
      },
    });
    await view.end();
    if (json) json.result(result);
    else console.log(resultText(result));
  } catch (error) {
    await view.end();
    json?.error(error);
    throw error;
  } finally {
    await metrics?.close();
  }
}

/** What tells Prometheus how far the load is, where a port was given. */
async function metricsOf(workload: string, { metricsPort, json }: LoadOptions) {
  if (metricsPort === undefined) return undefined;
  const { LoadMetrics } = await import("../metrics/load-metrics.ts");
  const { serveMetrics } = await import("../metrics/metrics-endpoint.ts");
  const metrics = new LoadMetrics(workload);
  const { url, close } = await serveMetrics(metrics.registry, metricsPort);
  if (!json) console.error(`metrics: ${url}`);
  return { take: (event: LoadEvent) => metrics.take(event), close };
}

async function viewFor(tables: string[]): Promise<LoadView> {
  if (!process.stdout.isTTY) return new PlainLines({ write: (line) => console.log(line) });
  const { LiveLines } = await import("./live-lines.ts");
  return new LiveLines(tables);
}

/** Ctrl-C stops the load in good order; a second one ends the process at once. */
function untilSignal(): AbortSignal {
  const abort = new AbortController();
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    // A listener that stays: where there is none but theirs, those who give the cursor back end the process.
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(exitCode);
      abort.abort(new Error(signal === "SIGINT" ? "Ctrl-C" : signal));
      process.once("exit", () => {
        process.exitCode = exitCode;
      });
    });
  }
  return abort.signal;
}
