import type { LoadEvent } from "../../loaders/load-event.ts";
import type { LoadResult } from "../../loaders/load-result.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import type { LoadView } from "./load-view.ts";
import { RunProgress } from "./run-progress.ts";

/** A load as JSON, an event a line; `docs/load.md` describes them. */
export class JsonLines implements LoadView {
  readonly #write: (line: string) => void;
  readonly #progress = new RunProgress();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  take(event: LoadEvent): void {
    this.#progress.take(event);
    this.#print(event.kind === "progress" ? this.#withRates(event) : event);
  }

  async end(): Promise<void> {}

  #withRates(event: Extract<LoadEvent, { kind: "progress" }>): object {
    const { rows: of, rowsPerSecond, bytesPerSecond, etaSeconds } = this.#progress.table(event.table) ?? {};
    return {
      ...event,
      of,
      rowsPerSecond: Math.round(rowsPerSecond ?? 0),
      bytesPerSecond: Math.round(bytesPerSecond ?? 0),
      etaSeconds: etaSeconds == null ? null : Math.ceil(etaSeconds),
    };
  }

  /** The last line of a load that went well; the parts stay in the ledger. */
  result({ parts: _, ...result }: LoadResult): void {
    this.#print({ kind: "result", result });
  }

  /** The last line of one that did not. */
  error(error: unknown): void {
    const { code, subject, message, remedy }: Partial<TimeliftError> =
      error instanceof TimeliftError ? error : { message: String(error) };
    this.#print({ kind: "error", code, subject, message, remedy });
  }

  #print(value: object): void {
    this.#write(JSON.stringify(value));
  }
}
