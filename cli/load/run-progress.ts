import type { LoadEvent } from "../../loaders/load-event.ts";

/** What is known of one table while a load runs. */
export interface TableProgress {
  table: string;
  action: "unchanged" | "load" | "append" | "merge";
  state: "waiting" | "running" | "done";
  /** Rows that this run has to send. */
  rows: number;
  /** Rows that it sent. */
  sent: number;
  /** Of those, rows that are committed. */
  committed: number;
  /** Bytes of binary COPY that it sent. */
  bytes: number;
  /** How fast it goes now; over the whole time once it is done; 0 where that cannot be told yet. */
  rowsPerSecond: number;
  bytesPerSecond: number;
  /** Null where it cannot be told. */
  etaSeconds: number | null;
  /** What came of it, once it is done. */
  done?: { inserted: number; updated: number; deleted: number; ms: number };
}

/** The same over all tables. */
export type WholeProgress = Pick<
  TableProgress,
  "rows" | "sent" | "committed" | "bytes" | "rowsPerSecond" | "bytesPerSecond" | "etaSeconds"
>;

interface Sample {
  at: number;
  rows: number;
  bytes: number;
}

/** Rates are those of the last so many ms. */
const window = 5000;
/** Below that a rate says more about the first buffers than about the load. */
const shortest = 500;

/** Turns the events of a load into what there is to show: rows, bytes, rates, time left. */
export class RunProgress {
  readonly #now: () => number;
  readonly #tables = new Map<string, { view: TableProgress; pace: Pace }>();
  readonly #pace: Pace;

  /** @param now a clock in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#pace = new Pace(now);
  }

  /** Takes the next event. */
  take(event: LoadEvent): void {
    if (event.kind === "table") this.#plan(event);
    else if (event.kind !== "snapshot" && event.kind !== "retry") this.#advance(event);
  }

  /** One table; undefined before its plan is known. */
  table(name: string): TableProgress | undefined {
    const entry = this.#tables.get(name);
    return entry && this.#withRates(entry);
  }

  /** Every table, in the order in which they were planned. */
  tables(): TableProgress[] {
    return [...this.#tables.values()].map((entry) => this.#withRates(entry));
  }

  whole(): WholeProgress {
    const sums = this.#sums();
    return { ...sums, ...this.#pace.rates(sums.rows - sums.sent) };
  }

  #advance(event: Extract<LoadEvent, { kind: "progress" | "part" | "loaded" }>): void {
    const entry = this.#tables.get(event.table);
    if (entry === undefined) return;
    const { view, pace } = entry;
    if (event.kind === "loaded") {
      view.state = "done";
      const { inserted, updated, deleted, ms } = event;
      view.done = { inserted, updated, deleted, ms };
      view.sent = Math.max(view.sent, view.rows);
      this.#pace.note(this.#sums());
      return;
    }
    if (view.state === "waiting") view.state = "running";
    if (event.kind === "progress") {
      view.sent = event.rows;
      view.bytes = event.bytes;
    } else {
      view.committed = event.rows;
      view.sent = Math.max(view.sent, event.rows);
    }
    pace.note(view);
    this.#pace.note(this.#sums());
  }

  /** A table is planned again after a lost connection: what was committed before is no longer among its rows. */
  #plan({ table, action, rows }: Extract<LoadEvent, { kind: "table" }>): void {
    const before = this.#tables.get(table)?.view.committed ?? 0;
    const pace = this.#tables.get(table)?.pace ?? new Pace(this.#now);
    const view: TableProgress = {
      table,
      action,
      state: action === "unchanged" ? "done" : "waiting",
      ...{ rows, sent: 0, committed: 0, bytes: 0, rowsPerSecond: 0, bytesPerSecond: 0, etaSeconds: null },
    };
    if (action === "unchanged" && before > 0) view.done = { inserted: before, updated: 0, deleted: 0, ms: 0 };
    pace.restart(view);
    this.#tables.set(table, { view, pace });
    this.#pace.restart(this.#sums());
  }

  #withRates({ view, pace }: { view: TableProgress; pace: Pace }): TableProgress {
    if (view.state !== "done") return { ...view, ...pace.rates(view.rows - view.sent) };
    const seconds = (view.done?.ms ?? 0) / 1000;
    if (seconds === 0) return { ...view };
    return { ...view, rowsPerSecond: view.sent / seconds, bytesPerSecond: view.bytes / seconds };
  }

  #sums(): Pick<WholeProgress, "rows" | "sent" | "committed" | "bytes"> {
    const sums = { rows: 0, sent: 0, committed: 0, bytes: 0 };
    for (const { view } of this.#tables.values()) {
      sums.rows += view.rows;
      sums.sent += view.sent;
      sums.committed += view.committed;
      sums.bytes += view.bytes;
    }
    return sums;
  }
}

/** How fast something has gone lately. */
class Pace {
  readonly #now: () => number;
  #samples: Sample[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Forgets what was, and starts from here. */
  restart(from: { sent: number; bytes: number }): void {
    this.#samples = [];
    this.note(from);
  }

  note({ sent, bytes }: { sent: number; bytes: number }): void {
    const at = this.#now();
    this.#samples.push({ at, rows: sent, bytes });
    // One that is older than the window stays, so that the window is always covered.
    while ((this.#samples[1]?.at ?? at) <= at - window) this.#samples.shift();
  }

  /** @param left rows that are still to come */
  rates(left: number): Pick<TableProgress, "rowsPerSecond" | "bytesPerSecond" | "etaSeconds"> {
    const [first, last] = [this.#samples.at(0), this.#samples.at(-1)];
    const ms = this.#now() - (first?.at ?? 0);
    if (first === undefined || last === undefined || last.rows <= first.rows || ms < shortest) {
      return { rowsPerSecond: 0, bytesPerSecond: 0, etaSeconds: null };
    }
    const rowsPerSecond = ((last.rows - first.rows) * 1000) / ms;
    const bytesPerSecond = (Math.max(0, last.bytes - first.bytes) * 1000) / ms;
    return { rowsPerSecond, bytesPerSecond, etaSeconds: Math.max(0, left) / rowsPerSecond };
  }
}
