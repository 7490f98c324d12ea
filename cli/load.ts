import { Command } from "commander";
import type { LoadEvent } from "../loaders/load-event.ts";
import { runLoad } from "../loaders/run-load.ts";
import { rowCount } from "../loaders/source/row-count.ts";
import type { LoadCommandRequest } from "../stacks/resources/sqlite-load-provider.ts";
import { findWorkload } from "../stacks/workload.ts";
import { serveRequest } from "./request.ts";

/** `timelift load --request`: progress in words on stderr, the LoadResult as one JSON line on stdout. */
export function loadCommand(): Command {
  return new Command("load")
    .description("what the SqliteLoad resource runs")
    .requiredOption("--request", "read the request from stdin")
    .action(() =>
      serveRequest(async (request: LoadCommandRequest, signal) => {
        const workload = await findWorkload(request.workload);
        return runLoad({
          workload: workload.name,
          loader: workload.loader,
          source: request.source,
          copyPath: request.copyPath,
          target: request.target,
          signal,
          events: report,
        });
      }),
    );
}

/** Below that a table is done before its progress could be read. */
const worthProgress = 50_000;

function report(event: LoadEvent): void {
  const line = describeEvent(event);
  if (line) console.error(line);
}

function describeEvent(event: LoadEvent): string | undefined {
  switch (event.kind) {
    case "snapshot": {
      if (event.reused) return undefined;
      const lock = event.longestLockMs > 0 ? `, longest lock ${Math.ceil(event.longestLockMs)} ms` : "";
      return `source: copied in ${seconds(event.ms)}${lock}`;
    }
    case "table":
      return event.rows < worthProgress || event.action === "unchanged"
        ? undefined
        : `${event.table}: ${event.action} ${rowCount(event.rows)}`;
    case "part":
      return event.rows < worthProgress ? undefined : `${event.table}: ${rowCount(event.rows)} committed`;
    case "progress":
    case "retry":
      return undefined;
    case "loaded": {
      const { inserted, updated, deleted } = event;
      const counts = Object.entries({ inserted, updated, deleted }).filter(([, rows]) => rows > 0);
      const what = counts.map(([verb, rows]) => `${rows.toLocaleString("en-US")} ${verb}`).join(", ");
      return what ? `${event.table}: ${what} in ${seconds(event.ms)}` : undefined;
    }
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
