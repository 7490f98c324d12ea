import { Command, InvalidArgumentError } from "commander";
import type { LoadEvent } from "../loaders/load-event.ts";
import type { LoadResult } from "../loaders/load-result.ts";
import { runLoad } from "../loaders/run-load.ts";
import type { LoadCommandRequest } from "../stacks/resources/sqlite-load-provider.ts";
import { findWorkload } from "../stacks/workload.ts";
import type { LoadOptions } from "./load/load-stack.ts";
import { addNarrowingOptions } from "./load/narrowing-options.ts";
import { PlainLines } from "./load/plain-lines.ts";
import { serveRequest } from "./request.ts";

/**
 * `timelift load`: brings a stack's target in line with its source. With `--request`, what the SqliteLoad resource
 * runs: progress in words on stderr, the LoadResult as one JSON line on stdout.
 */
export function loadCommand(): Command {
  const command = new Command("load")
    .description("Loads what the target lacks, and brings it in line with what changed in the source.")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--source <file>", "another SQLite file than the stack's");
  return addNarrowingOptions(command)
    .option("--force", "compare every row with the target, and mend it, although nothing changed", false)
    .option("--workers <count>", "connections that write side by side, 1 to 64", workerCount)
    .option("--max-rejects <count>", "how many rows that do not fit may be left out", rejectLimit)
    .option(
      "--metrics-port <port>",
      "say how far it is to Prometheus, at 127.0.0.1:PORT/metrics",
      metricsPort,
    )
    .option("--dry-run", "say what would happen, and write nothing", false)
    .option("--status", "say how far the last load is, from the ledger; disturbs nothing", false)
    .option("--watch", "with --status: until no load runs any more", false)
    .option("--json", "JSON, an event a line", false)
    .option("--request", "read one request as a JSON line from stdin, answer with one on stdout", false)
    .action(async (options: LoadOptions & { request: boolean }) => {
      if (options.request) return serve();
      const { loadStack } = await import("./load/load-stack.ts");
      return loadStack(options);
    });
}

function serve(): Promise<void> {
  const lines = new PlainLines({ write: (line) => console.error(line), everyPercent: 25 });
  return serveRequest<LoadCommandRequest, LoadResult>(async (request, signal) => {
    const { name, loader, migrationsDir, context: given } = await findWorkload(request.workload);
    const context = { ...given, ...(request.hypertables && { hypertables: request.hypertables }) };
    const events = (event: LoadEvent) => lines.take(event);
    // A load that finds nothing to do need not read a migration.
    const declared = () => import("../migrations/declared.ts");
    return runLoad({
      ...{ ...request, workload: name, loader, signal, events },
      columnstoreAfter: async () => (await declared()).columnstoreAges(migrationsDir, context),
      keys: async () => (await declared()).declaredKeys(migrationsDir, context),
    });
  });
}

function workerCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
  throw new InvalidArgumentError("a whole number from 1 to 64.");
}

function metricsPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new InvalidArgumentError("a port, or 0 for any that is free.");
}

function rejectLimit(text: string): number | string {
  if (/^\d+$/.test(text)) return Number(text);
  if (/^\d+(\.\d+)?%$/.test(text)) return text;
  throw new InvalidArgumentError("a number of rows, or a share of them like 0.1%.");
}
