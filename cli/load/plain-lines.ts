import type { LoadEvent } from "../../loaders/load-event.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import type { LoadView } from "./load-view.ts";
import { outcomeText, percent, progressText, retryText, snapshotText } from "./progress-text.ts";
import { RunProgress } from "./run-progress.ts";

/** How talkative lines are. */
export interface PlainLinesArgs {
  write: (line: string) => void;
  /** A table's next line comes after so many ms … */
  everyMs?: number;
  /** … or so many percent of its rows. */
  everyPercent?: number;
  /**
   * Of tables with fewer rows only the outcome is told.
   * @default 50000
   */
  smallest?: number;
  /** A clock in ms. */
  now?: () => number;
}

/** A load as lines that a log can keep: what begins, how far it is, what came of it. */
export class PlainLines implements LoadView {
  readonly #args: Required<PlainLinesArgs>;
  readonly #progress: RunProgress;
  /** Table -> when its last line was, and at what percentage. */
  readonly #last = new Map<string, { at: number; percent: number }>();

  constructor(args: PlainLinesArgs) {
    this.#args = {
      everyMs: 10_000,
      everyPercent: 10,
      smallest: 50_000,
      now: () => performance.now(),
      ...args,
    };
    this.#progress = new RunProgress(this.#args.now);
  }

  take(event: LoadEvent): void {
    this.#progress.take(event);
    const line = this.#line(event);
    if (line !== undefined) this.#args.write(line);
  }

  async end(): Promise<void> {}

  #line(event: LoadEvent): string | undefined {
    const { smallest, now } = this.#args;
    switch (event.kind) {
      case "snapshot":
        return snapshotText(event);
      case "retry":
        return retryText(event);
      case "table":
        if (event.rows < smallest || event.action === "unchanged") return undefined;
        this.#last.set(event.table, { at: now(), percent: 0 });
        return `${event.table}: ${event.action} ${rowCount(event.rows)}`;
      case "progress":
      case "part":
        return this.#progressLine(event.table);
      case "loaded": {
        const table = this.#progress.table(event.table);
        const outcome = table && outcomeText(table);
        return outcome === undefined || outcome === "unchanged" ? undefined : `${event.table}: ${outcome}`;
      }
    }
  }

  #progressLine(name: string): string | undefined {
    const { everyMs, everyPercent, now } = this.#args;
    const table = this.#progress.table(name);
    const last = this.#last.get(name);
    if (table === undefined || last === undefined) return undefined;
    const reached = percent(table);
    const isDue = now() - last.at >= everyMs || reached >= last.percent + everyPercent;
    if (!isDue || reached === 100) return undefined;
    this.#last.set(name, { at: now(), percent: reached });
    return `${name}: ${progressText(table)}`;
  }
}
