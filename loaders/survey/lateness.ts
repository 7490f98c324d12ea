/** How far behind the newest row that was there already rows arrive, in the order of the rowid. */
export interface Lateness {
  /** Share of the rows that are older than one before them; of one before them with the same key values. */
  share: number;
  shareInSegment: number;
  /** Seconds behind the newest of the same key values: of one row in a thousand more, and at most. */
  p999: number;
  most: number;
}

/** Counts late rows. The order in which rows were written is known of tables with a rowid only. */
export class LateRows {
  #rows = 0;
  #late = 0;
  #newest = Number.NEGATIVE_INFINITY;
  readonly #newestOf: number[] = [];
  readonly #delays: number[] = [];

  /** @param segment number of the row's key values; null where there are none to tell apart */
  add(seconds: number, segment: number | null): void {
    const newestOfAll = this.#newest;
    this.#rows += 1;
    if (seconds < newestOfAll) this.#late += 1;
    else this.#newest = seconds;
    const newest = segment === null ? newestOfAll : (this.#newestOf[segment] ?? Number.NEGATIVE_INFINITY);
    if (seconds < newest) this.#delays.push(newest - seconds);
    else if (segment !== null) this.#newestOf[segment] = seconds;
  }

  result(): Lateness {
    const delays = Float64Array.from(this.#delays).sort();
    const onTime = this.#rows - delays.length;
    const rank = Math.ceil(0.999 * this.#rows) - 1;
    return {
      share: this.#rows === 0 ? 0 : this.#late / this.#rows,
      shareInSegment: this.#rows === 0 ? 0 : delays.length / this.#rows,
      p999: rank < onTime ? 0 : (delays[rank - onTime] ?? 0),
      most: delays.at(-1) ?? 0,
    };
  }
}
