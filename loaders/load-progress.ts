import type { LoadEvent } from "./load-event.ts";

const betweenEventsMs = 100;

/** What a load has sent and committed so far, table by table, over all its lanes. */
export class LoadProgress {
  readonly #events: (event: LoadEvent) => void;
  readonly #tables = new Map<string, { rows: number; bytes: number; committed: number; toldAt: number }>();

  constructor(events: (event: LoadEvent) => void) {
    this.#events = events;
  }

  /** Counts rows that were sent; told several times a second. */
  sent(table: string, rows: number, bytes: number): void {
    const progress = this.#of(table);
    progress.rows += rows;
    progress.bytes += bytes;
    const now = performance.now();
    if (now - progress.toldAt < betweenEventsMs) return;
    progress.toldAt = now;
    this.#events({ kind: "progress", table, rows: progress.rows, bytes: progress.bytes });
  }

  /** Counts the rows of a part that is committed, or will be with all the others. */
  committed(table: string, rows: number): void {
    const progress = this.#of(table);
    progress.committed += rows;
    this.#events({ kind: "part", table, rows: progress.committed });
  }

  #of(table: string) {
    const progress = this.#tables.get(table) ?? { rows: 0, bytes: 0, committed: 0, toldAt: 0 };
    this.#tables.set(table, progress);
    return progress;
  }
}
