import { Worker } from "node:worker_threads";
import type { ResolvedTable } from "../resolve-table.ts";
import { TimeliftError } from "../timelift-error.ts";
import type { RowCounts } from "./claimed-rows.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { KeyClaims } from "./key-claims.ts";
import type { Pass, PassResult } from "./pass.ts";
import type { ServerCast } from "./server-cast.ts";
import type { UnfitReport } from "./unfit-rows.ts";

/** What the main thread sends to the source's thread. */
export type SourceRequest =
  | { kind: "pass"; table: ResolvedTable; pass: Pass; key: number[]; claimed: RowCounts; upheld: RowCounts }
  /** Which claims of rejects a key upholds. */
  | { kind: "claims"; claims: Omit<KeyClaims, "doubtful"> }
  /** What PostgreSQL made of the texts of the last `cast` event. */
  | { kind: "casts"; texts: (string | null)[] };

/** What the source's thread sends back. */
export type SourceEvent =
  | { kind: "rows"; rows: number }
  | { kind: "cast"; texts: string[] }
  | { kind: "answer"; answer: SourceAnswer }
  | { kind: "upheld"; upheld: RowCounts }
  | { kind: "error"; error: ThreadError };

/** An error on its way between threads: the parts of a TimeliftError, or the text of any other. */
export type ThreadError =
  | { code: string; subject: string; problem: string; remedy: string }
  | { text: string };

/** What one pass over a source table found. */
export interface SourceAnswer<Kind extends Pass["kind"] = Pass["kind"]> {
  result: PassResult[Kind];
  unfit: UnfitReport;
  /** The most that rounding to the declared scale moved a value, for each column. */
  rounding: number[];
  /** Rows that were read. */
  read: number;
  /** Rows as SQLite itself counts them; only a tally asks. */
  counted: number;
  /** Whether the rows came from the file's own pages or from SQLite's library. */
  way: "pages" | "queries";
}

/** What each request is answered with. */
interface Answers {
  pass: Extract<SourceEvent, { kind: "answer" }>;
  claims: Extract<SourceEvent, { kind: "upheld" }>;
}

/** The source side of the comparison: a thread that reads the private copy. */
export class SourceSide {
  readonly #thread: Worker;
  readonly #cast: ServerCast;
  #failed: Error | undefined;

  /** @param cast lets PostgreSQL read JSON texts of the source */
  constructor(copyPath: string, cast: ServerCast) {
    this.#cast = cast;
    this.#thread = new Worker(new URL("./source-thread.ts", import.meta.url), {
      workerData: { copyPath },
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    this.#thread.on("error", (error) => {
      this.#failed = error as Error;
    });
    this.#thread.on("exit", () => {
      this.#failed ??= new Error("the thread that reads the source ended");
    });
  }

  /** Reads a table once; one pass at a time. @throws TimeliftError source-corrupt and what SQLite says */
  async run<P extends Pass>(
    table: ComparedTable,
    pass: P,
    onRows: (rows: number) => void = () => {},
  ): Promise<SourceAnswer<P["kind"]>> {
    const { resolved, key, claimed, upheld } = table;
    const request = { kind: "pass", table: resolved, pass, key, claimed, upheld } as const;
    const event = await this.#ask(request, onRows);
    return event.answer as SourceAnswer<P["kind"]>;
  }

  /** The rows, of those that the load rejected, whose values fit and which a key refuses indeed. */
  async uphold(claims: Omit<KeyClaims, "doubtful">): Promise<RowCounts> {
    return (await this.#ask({ kind: "claims", claims })).upheld;
  }

  async #ask<R extends "pass" | "claims">(
    request: Extract<SourceRequest, { kind: R }>,
    onRows: (rows: number) => void = () => {},
  ): Promise<Answers[R]> {
    if (this.#failed) throw this.#failed;
    const { promise, resolve, reject } = Promise.withResolvers<SourceEvent>();
    const thread = this.#thread;
    const ended = () => reject(this.#failed);
    const hear = (event: SourceEvent) => {
      if (event.kind === "rows") onRows(event.rows);
      else if (event.kind === "answer" || event.kind === "upheld") resolve(event);
      else if (event.kind === "error") reject(errorOf(event.error));
      else this.#answerCast(event.texts).catch(reject);
    };
    thread.on("message", hear);
    thread.on("exit", ended);
    thread.on("error", ended);
    try {
      this.#send(request);
      return (await promise) as Answers[R];
    } finally {
      thread.off("message", hear);
      thread.off("exit", ended);
      thread.off("error", ended);
    }
  }

  /** Ends the thread, whatever it is doing. */
  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  async #answerCast(texts: string[]): Promise<void> {
    const written = await this.#cast.jsonb(texts);
    this.#send({ kind: "casts", texts: texts.map((text) => written.get(text) ?? null) });
  }

  #send(request: SourceRequest): void {
    this.#thread.postMessage(request);
  }
}

function errorOf(error: ThreadError): Error {
  return "code" in error ? new TimeliftError(error) : new Error(error.text);
}
