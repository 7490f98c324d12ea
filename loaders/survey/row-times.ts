/** What periods of one length hold. Those without a row are not counted: they make no chunk. */
export interface RowsPerPeriod {
  /** Periods that hold rows. */
  periods: number;
  /** Rows of a period: in the middle, of one in ten more, at most. */
  median: number;
  p90: number;
  most: number;
}

const hourSeconds = 3600;

/** When the rows of a table happened, to the hour. */
export class RowTimes {
  /** Hours since 1970, ascending; one for each row that was read. */
  readonly #hours: Int32Array;
  /** Rows that each of them stands for. */
  readonly #scale: number;

  constructor(hours: Int32Array, scale: number) {
    this.#hours = hours.toSorted();
    this.#scale = scale;
  }

  /** Rows that were read, with a time. */
  get read(): number {
    return this.#hours.length;
  }

  /** Hours from the first row's to the last one's, both counted. */
  get span(): number {
    return this.read === 0 ? 0 : this.#at(this.read - 1) - this.#at(0) + 1;
  }

  /** Rows of periods of `hours`, which begin at whole multiples of their length since 1970, as chunks do. */
  per(hours: number): RowsPerPeriod {
    const counts: number[] = [];
    let period = Number.NaN;
    for (const hour of this.#hours) {
      const at = Math.floor(hour / hours);
      if (at !== period) counts.push(0);
      period = at;
      counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    }
    counts.sort((a, b) => a - b);
    const rank = (share: number) =>
      Math.round((counts[Math.ceil(share * counts.length) - 1] ?? 0) * this.#scale);
    return { periods: counts.length, median: rank(0.5), p90: rank(0.9), most: rank(1) };
  }

  /** Share of the rows that are no older than `hours`, seen from the last one. */
  shareOfLast(hours: number): number {
    if (this.read === 0) return 0;
    return 1 - this.#before(this.#at(this.read - 1) + 1 - hours) / this.read;
  }

  /** Share of the rows in periods of `hours` that, seen from the last row, did not end more than `age` hours ago. */
  shareInOpen(hours: number, age: number): number {
    if (this.read === 0) return 0;
    const openFrom = Math.floor((this.#at(this.read - 1) + 1 - age) / hours) * hours;
    return 1 - this.#before(openFrom) / this.read;
  }

  /**
   * A stretch of about `rows` rows, as [from, until) in seconds since 1970: one that ends at the latest of `moments`
   * (seconds), else at the last row.
   */
  stretch(rows: number, moments: number[]): [from: number, until: number] {
    const wanted = Math.min(this.read, Math.max(1, Math.round(rows / this.#scale)));
    const named = moments
      .map((moment) => Math.ceil(moment / hourSeconds))
      .filter((hour) => hour > this.#at(0) && hour <= this.#at(this.read - 1));
    const until = named.length === 0 ? this.read : this.#before(Math.max(...named));
    const from = Math.max(0, until - wanted);
    const end = Math.max(until, from + wanted);
    return [this.#at(from) * hourSeconds, (this.#at(end - 1) + 1) * hourSeconds];
  }

  /** Rows before an hour. */
  #before(hour: number): number {
    let [low, high] = [0, this.read];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle) < hour) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(index: number): number {
    return this.#hours[index] ?? 0;
  }
}
