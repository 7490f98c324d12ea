import { Worker } from "node:worker_threads";
import { TimeliftError } from "../timelift-error.ts";
import type { SourceJob, SourceMessage } from "./source-thread.ts";

/** Reads one SQLite file on a thread of its own, so that reading and writing go on side by side. */
export class SourceReader {
  readonly #worker: Worker;
  #arrived: SourceMessage[] = [];
  #wake: (() => void) | null = null;

  constructor(path: string) {
    this.#worker = new Worker(new URL("./source-thread.ts", import.meta.url), { workerData: { path } });
    this.#worker.on("message", (message: SourceMessage) => this.#push(message));
    this.#worker.on("error", (error) =>
      this.#push({
        kind: "failed",
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    );
    this.#worker.on("exit", (code) =>
      this.#push({ kind: "failed", error: `the reader thread ended (exit code ${code})` }),
    );
  }

  /** Runs one job at a time; the reader goes on only as fast as the messages are taken. */
  async *run(job: SourceJob): AsyncGenerator<Exclude<SourceMessage, { kind: "done" | "failed" }>> {
    this.#worker.postMessage(job);
    for (;;) {
      const message = this.#arrived.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      if (message.kind === "done") return;
      if (message.kind === "failed") throw revive(message.error);
      yield message;
      if (message.kind === "rows") this.#worker.postMessage("credit");
    }
  }

  /** Ends the thread, whatever it is doing. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #push(message: SourceMessage): void {
    this.#arrived.push(message);
    this.#wake?.();
    this.#wake = null;
  }
}

function revive(error: Extract<SourceMessage, { kind: "failed" }>["error"]): Error {
  return typeof error === "string" ? new Error(error) : new TimeliftError(error);
}
