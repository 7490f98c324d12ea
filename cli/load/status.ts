import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, connect } from "../../loaders/connection.ts";
import { type LoadStatus, readLoadStatus } from "../../loaders/load-status.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import { duration, number, rate } from "./progress-text.ts";

/** How `timelift load --status` shows what it finds. */
export interface StatusOptions {
  json: boolean;
  /** Goes on, a look a second, until no load runs any more. */
  watch: boolean;
}

/** Says how far the load of a workload is, or was; from the ledger, whoever runs it. */
export async function showLoadStatus(
  target: Connection,
  workload: string,
  { json, watch }: StatusOptions,
): Promise<void> {
  const client = await connect(target, "status");
  try {
    await client.query("SET default_transaction_read_only = on");
    for (;;) {
      const status = await readLoadStatus(client, workload);
      const goesOn = status.state === "running" || status.state === "comparing";
      if (json) console.log(JSON.stringify(status));
      else if (watch && goesOn) console.log(headline(status));
      else for (const line of describeStatus(status)) console.log(line);
      if (!watch || !goesOn) return;
      await sleep(1000);
    }
  } finally {
    await client.end();
  }
}

/** The state in one line, then a line a table. */
export function describeStatus(status: LoadStatus): string[] {
  const width = Math.max(0, ...status.tables.map(({ table }) => table.length));
  const tables = status.tables.map(({ table, rows, parts, runRows }) => {
    const lately = runRows > 0 && runRows < rows ? `, ${number(runRows)} of them in the last run` : "";
    return `  ${table.padEnd(width)}  ${rowCount(rows)} in ${number(parts)} part${parts === 1 ? "" : "s"}${lately}`;
  });
  return [headline(status), ...tables];
}

function headline({ workload, state, holder, run, rows }: LoadStatus): string {
  const of = (words: string) => `${workload}: ${words}`;
  const by = holder ? ` by server process ${holder.pid} ("${holder.name ?? "unknown"}")` : "";
  switch (state) {
    case "none":
      return of("nothing was loaded yet");
    case "comparing":
      return of(
        `a load runs${by}; it compares source and target, and has written nothing yet. ${rowCount(rows)} stand`,
      );
    case "running":
      return of(`running since ${run?.startedAt}${by}: ${progress(run)}; ${rowCount(rows)} stand`);
    case "interrupted":
      return of(
        `interrupted; the run of ${run?.startedAt} committed ${rowCount(run?.rows ?? 0)} in ${duration(run?.seconds ?? 0)}, ${rowCount(rows)} stand. To go on: timelift load, or timelift up`,
      );
    case "complete":
      return of(`complete: ${rowCount(rows)}; the last run ended at ${run?.finishedAt}, ${progress(run)}`);
  }
}

function progress(run: LoadStatus["run"]): string {
  if (run === null) return "";
  const speed = run.rowsPerSecond > 0 ? `, ${rate(run.rowsPerSecond)} rows/s` : "";
  return `${rowCount(run.rows)} committed in ${duration(run.seconds)}${speed}`;
}
