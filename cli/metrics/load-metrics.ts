import { Gauge, Registry } from "prom-client";
import type { LoadEvent } from "../../loaders/load-event.ts";
import { RunProgress, type TableProgress } from "../load/run-progress.ts";

const perTable: Record<string, { help: string; of: (table: TableProgress) => number }> = {
  timelift_run_rows_expected: { help: "Rows that this run has to send", of: ({ rows }) => rows },
  timelift_run_rows: { help: "Rows that this run has sent", of: ({ sent }) => sent },
  timelift_run_rows_committed: {
    help: "Of those, rows that are committed",
    of: ({ committed }) => committed,
  },
  timelift_run_rows_per_second: {
    help: "How fast it goes: over the last 5 seconds, and over all of it once the table is done",
    of: ({ rowsPerSecond }) => rowsPerSecond,
  },
  timelift_run_bytes: { help: "Bytes of binary COPY that this run has sent", of: ({ bytes }) => bytes },
};

/**
 * What a load that runs says of itself. It is gone with the process: what stays is in the ledger, under names of its
 * own, so that nothing is counted twice.
 */
export class LoadMetrics {
  readonly registry = new Registry();
  readonly #progress = new RunProgress();
  readonly #parts = new Map<string, number>();
  #retries = 0;

  constructor(workload: string) {
    const registers = [this.registry];
    for (const [name, { help, of }] of Object.entries(perTable)) {
      this.#gauge(name, help, ["workload", "table"], (gauge) => {
        for (const table of this.#progress.tables()) gauge.set({ workload, table: table.table }, of(table));
      });
    }
    this.#gauge(
      "timelift_run_parts_done",
      "Parts that this run has committed",
      ["workload", "table"],
      (gauge) => {
        for (const [table, parts] of this.#parts) gauge.set({ workload, table }, parts);
      },
    );
    this.#gauge(
      "timelift_run_retries",
      "How often it went on after a lost connection",
      ["workload"],
      (gauge) => gauge.set({ workload }, this.#retries),
    );
    new Gauge({
      ...{ name: "timelift_run_start_timestamp_seconds", help: "When this run began" },
      ...{ labelNames: ["workload"], registers },
    }).set({ workload }, Date.now() / 1000);
  }

  take(event: LoadEvent): void {
    this.#progress.take(event);
    if (event.kind === "retry") this.#retries += 1;
    if (event.kind === "part") this.#parts.set(event.table, (this.#parts.get(event.table) ?? 0) + 1);
  }

  #gauge(name: string, help: string, labelNames: string[], fill: (gauge: Gauge) => void): void {
    new Gauge({
      ...{ name, help, labelNames, registers: [this.registry] },
      collect() {
        fill(this);
      },
    });
  }
}
