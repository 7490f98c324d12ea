import { TimeliftError } from "../timelift-error.ts";

/** Bounds of a copy. */
export interface SnapshotOptions {
  /**
   * How long to wait, in ms, while a writer keeps the source locked.
   * @default 10000
   */
  lockWaitMs?: number;
  /**
   * How long, in ms, one step of a copy may lock writers out (rollback journal only).
   * @default 400
   */
  stepMs?: number;
  /**
   * How often a copy may start over because a writer wrote (rollback journal only).
   * @default 30
   */
  restarts?: number;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Chooses how many pages the next step copies. */
export class StepPace {
  /** The longest step so far, in ms. */
  longestMs = 0;
  readonly #path: string;
  readonly #lockWaitMs: number;
  readonly #allowed: number;
  #restarts = 0;
  readonly #stepMs: number;
  #msPerPage = 0.01;
  #pages: number;
  #budgetMs: number;
  #remaining = Number.POSITIVE_INFINITY;
  #stepStart = performance.now();
  #movedAt = performance.now();

  constructor(path: string, options: SnapshotOptions) {
    this.#path = path;
    this.#lockWaitMs = options.lockWaitMs ?? 10_000;
    this.#allowed = options.restarts ?? 30;
    this.#stepMs = options.stepMs ?? 400;
    this.#budgetMs = Math.min(50, this.#stepMs);
    this.#pages = Math.min(500, this.#mostPages());
  }

  next(remaining: number): number {
    const now = performance.now();
    const took = now - this.#stepStart;
    if (remaining < this.#remaining) this.#moved(now, took);
    else if (remaining === this.#remaining) this.#stood(now);
    else this.#startedOver();
    this.#remaining = remaining;
    this.#stepStart = performance.now();
    return this.#pages;
  }

  #moved(now: number, took: number): void {
    this.longestMs = Math.max(this.longestMs, took);
    this.#movedAt = now;
    if (took > 1) this.#msPerPage = took / this.#pages;
    if (took < this.#budgetMs / 2) this.#pages = Math.min(this.#pages * 2, this.#mostPages());
    else if (took > this.#budgetMs) this.#pages = Math.max(1, Math.floor(this.#pages / 2));
  }

  /** Locked, or overtaken once a step: wait a little, and take a longer step next. */
  #stood(now: number): void {
    if (now - this.#movedAt > this.#lockWaitMs)
      throw neverQuiet(this.#path, `it made no progress for ${Math.round((now - this.#movedAt) / 1000)} s`);
    Atomics.wait(pause, 0, 0, 5);
    this.#pages = Math.min(this.#pages * 2, this.#mostPages());
  }

  #startedOver(): void {
    this.#restarts += 1;
    if (this.#restarts > this.#allowed)
      throw neverQuiet(this.#path, `it started over ${this.#restarts} times`);
    this.#budgetMs = Math.min(this.#stepMs, this.#budgetMs * 1.5);
  }

  #mostPages(): number {
    return Math.max(1, Math.floor(this.#stepMs / this.#msPerPage));
  }
}

function neverQuiet(path: string, how: string): TimeliftError {
  return new TimeliftError({
    code: "source-busy",
    subject: path,
    problem: `writers leave no pause that is long enough to copy the file in: ${how}. Under the rollback journal a copy has to be made between two writes.`,
    remedy: "Switch the source to WAL (PRAGMA journal_mode=WAL), or pause the writer while timelift copies.",
  });
}
