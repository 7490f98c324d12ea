import { Listr, type ListrTaskWrapper } from "listr2";
import type { LoadEvent } from "../../loaders/load-event.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import type { LoadView } from "./load-view.ts";
import { number, outcomeText, progressText, retryText, snapshotText } from "./progress-text.ts";
import { RunProgress } from "./run-progress.ts";

// biome-ignore lint/suspicious/noExplicitAny: the renderers' types differ between terminals, which is listr2's affair.
type Line = ListrTaskWrapper<unknown, any, any>;

interface Shown {
  line?: Line;
  finish: () => void;
  finished: boolean;
}

const refreshMs = 200;

/** A load in a terminal: one line a table, which moves until the table is done. */
export class LiveLines implements LoadView {
  readonly #progress = new RunProgress();
  readonly #shown = new Map<string, Shown>();
  readonly #run: Promise<unknown>;
  readonly #timer: NodeJS.Timeout;
  readonly #width: number;
  #source = "reading";
  #ended = false;
  /** Stands in place of progress while the connection is lost. */
  #interruption: string | undefined;

  /** @param tables every table that the load is about */
  constructor(tables: string[]) {
    this.#width = Math.max(...tables.map((table) => table.length), "source".length);
    const list = new Listr(
      ["source", ...tables].map((name) => this.#task(name)),
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        rendererOptions: { formatOutput: "truncate", collapseSkips: false, showSkipMessage: false },
      },
    );
    this.#run = list.run();
    this.#timer = setInterval(() => this.#refresh(), refreshMs);
  }

  take(event: LoadEvent): void {
    this.#progress.take(event);
    this.#interruption = event.kind === "retry" ? retryText(event) : undefined;
    if (event.kind === "snapshot") {
      const uncopied = event.read === "in place" ? "read in place" : "unchanged since it was copied";
      this.#source = snapshotText(event)?.replace("source: ", "") ?? uncopied;
      this.#finish("source");
    } else if (event.kind === "loaded" || (event.kind === "table" && event.action === "unchanged")) {
      this.#finish(event.table);
    }
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended = true;
    this.#refresh();
    for (const shown of this.#shown.values()) {
      if (!shown.finished) shown.line?.skip();
      shown.finish();
    }
    await this.#run;
  }

  #task(name: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const shown: Shown = { finish: resolve, finished: false };
    this.#shown.set(name, shown);
    return {
      title: this.#title(name),
      task: (_context: unknown, line: Line) => {
        shown.line = line;
        this.#say(name);
        return promise;
      },
    };
  }

  #finish(name: string): void {
    const shown = this.#shown.get(name);
    if (shown === undefined) return;
    this.#say(name);
    shown.finished = true;
    shown.finish();
  }

  #refresh(): void {
    for (const [name, { finished }] of this.#shown) if (!finished) this.#say(name);
  }

  #say(name: string): void {
    const line = this.#shown.get(name)?.line;
    if (line !== undefined) line.title = this.#title(name);
  }

  #title(name: string): string {
    return `${name.padEnd(this.#width)}  ${this.#text(name)}`;
  }

  #text(name: string): string {
    if (name === "source") return this.#source;
    const table = this.#progress.table(name);
    if (table?.state === "done") return outcomeText(table);
    if (table === undefined) return this.#ended ? "not begun" : "waiting";
    if (this.#ended) return `stopped; ${number(table.committed)} of ${rowCount(table.rows)} committed`;
    if (table.state === "running" && this.#interruption !== undefined) return this.#interruption;
    return table.state === "waiting" ? `${number(table.rows)} rows to ${table.action}` : progressText(table);
  }
}
