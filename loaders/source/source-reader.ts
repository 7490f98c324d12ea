import { Worker } from "node:worker_threads";
import type { EncodedColumn } from "../encode/row-encoder.ts";
import type { Part } from "../load-result.ts";
import { TimeliftError } from "../timelift-error.ts";
import type { KeyFindings, KeysJob } from "./keys/keyed-table.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import type { RefusedRows } from "./refused-rows.ts";
import type { RejectProbe } from "./reject-probe.ts";
import type { Close, Credit, SourceJob, SourceMessage } from "./source-thread.ts";
import type { TableRead } from "./table-reader.ts";
import type { Verification } from "./verify-parts.ts";

/** Reads one SQLite file on a thread of its own, so that reading and writing go on side by side. */
export class SourceReader {
  readonly #path: string;
  #started: Worker | null = null;
  #arrived: SourceMessage[] = [];
  #wake: (() => void) | null = null;
  #busy = false;
  /** Set once the thread is gone, on which nothing more arrives. */
  #ended: Error | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Starts the thread; the first job does so too, and this saves it the wait. */
  start(): Worker {
    if (this.#started !== null) return this.#started;
    const path = this.#path;
    const worker = new Worker(new URL("./source-thread.ts", import.meta.url), {
      workerData: { path },
      // Rows are short-lived: a small nursery keeps memory low and costs nothing that could be measured.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    this.#started = worker;
    worker.on("message", (message: SourceMessage) => this.#push(message));
    worker.on("error", (error) =>
      this.#push({
        kind: "failed",
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    );
    worker.on("exit", (code) => {
      this.#ended = new Error(`the reader thread ended (exit code ${code})`);
      this.#wakeUp();
    });
    return worker;
  }

  /** Counts the rows of a table. */
  async count(read: TableRead): Promise<number> {
    let rows = 0;
    for await (const message of this.run({ kind: "count", read })) {
      if (message.kind === "counted") rows = message.rows;
    }
    return rows;
  }

  /** Compares a table with the parts of its last load. */
  async verify(read: TableRead, parts: Part[], seed: string): Promise<Verification> {
    let verification: Verification = { rows: 0, held: [], changedRows: 0, beyond: 0, missing: [] };
    for await (const message of this.run({ kind: "verify", read, parts, seed })) {
      if (message.kind === "verified") verification = message.verification;
    }
    return verification;
  }

  /** Tries rejected rows again; those that are refused are rejected all the same. */
  async probe(
    read: TableRead,
    columns: EncodedColumn[],
    rowids: bigint[],
    refused: RefusedRows,
  ): Promise<RejectProbe> {
    let probe: RejectProbe = { fits: [], rejected: [], gone: [] };
    for await (const message of this.run({ kind: "probe", read, columns, rowids, refused })) {
      if (message.kind === "probed") probe = message.probe;
    }
    return probe;
  }

  /** Finds the rows of a table that its keys refuse. */
  async findRefused(job: KeysJob): Promise<KeyFindings> {
    let findings: KeyFindings = {
      ...{ orphans: new Map(), duplicates: new Map() },
      ...{ unfit: [], complete: true },
    };
    for await (const message of this.run({ kind: "keys", ...job })) {
      if (message.kind === "keys") findings = message.findings;
    }
    return findings;
  }

  /**
   * Runs one job at a time, to its end; the reader goes on only as fast as the messages are taken.
   * A caller that leaves early has to close the reader.
   */
  async *run(job: SourceJob): AsyncGenerator<Exclude<SourceMessage, { kind: "done" | "failed" }>> {
    this.start().postMessage(job);
    this.#busy = true;
    for (;;) {
      const message = this.#arrived.shift();
      if (message === undefined) {
        if (this.#ended !== null) throw this.#ended;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      if (message.kind === "done" || message.kind === "failed") this.#busy = false;
      if (message.kind === "done") return;
      if (message.kind === "failed") throw revive(message.error);
      yield message;
      if (message.kind === "rows") this.#giveBack(message.bytes);
    }
  }

  /** A short chunk may still lie in the socket's own queue, so its buffer stays here. */
  #giveBack(bytes: Uint8Array<ArrayBuffer>): void {
    const buffer = bytes.length >= OutgoingBytes.least ? bytes.buffer : null;
    const credit: Credit = { kind: "credit", bytes: bytes.length, buffer };
    this.start().postMessage(credit, buffer === null ? [] : [buffer]);
  }

  /** Ends the thread, whatever it is doing. Where it does nothing it ends by itself, which is the gentler way. */
  async close(): Promise<void> {
    const thread = this.#started;
    if (thread === null || this.#ended !== null) return;
    if (this.#busy) {
      await thread.terminate();
      return;
    }
    // An error that ends it instead is of no interest any more.
    const ended = new Promise((resolve) => thread.once("exit", resolve));
    thread.postMessage({ kind: "close" } satisfies Close);
    await ended;
  }

  #push(message: SourceMessage): void {
    this.#arrived.push(message);
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

function revive(error: Extract<SourceMessage, { kind: "failed" }>["error"]): Error {
  return typeof error === "string" ? new Error(error) : new TimeliftError(error);
}
