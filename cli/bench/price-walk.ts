/** One day's prices of one symbol. */
export interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/**
 * A seeded random walk of prices. Prices are cents kept in 32 bits and widened to 64, as the application stores what it
 * downloads: 129.94 becomes 129.94000244140625. Only additions and multiplications, so that it is the same everywhere.
 */
export class PriceWalk {
  #state: number;
  #price: number;
  readonly #typicalVolume: number;

  /**
   * @param index which symbol of the source
   * @param price where to go on; a first price of its own where none is given
   */
  constructor(seed: number, index: number, price?: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
    this.#typicalVolume = 200_000 + Math.floor(this.#random() * 20_000_000);
    const first = 8 + this.#random() * 190;
    this.#price = price ?? first;
  }

  next(): Bar {
    const open = this.#price * (1 + 0.004 * this.#bell());
    const close = open * (1.0003 + 0.016 * this.#bell());
    const high = Math.max(open, close) * (1 + 0.01 * this.#random());
    const low = Math.min(open, close) * (1 - 0.01 * this.#random());
    this.#price = withinReason(close);
    const volume = Math.floor(this.#typicalVolume * (0.4 + 1.6 * this.#random() * this.#random()));
    return { open: cents(open), high: cents(high), low: cents(low), close: cents(close), volume };
  }

  /** In [0, 1), by mulberry32. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Around zero, a standard deviation of one: the sum of three even numbers is near enough to a bell. */
  #bell(): number {
    return (this.#random() + this.#random() + this.#random() - 1.5) * 2;
  }
}

/** What a split, or its reverse, does to a price that left the usual range. */
function withinReason(price: number): number {
  if (price > 900) return price / 4;
  return price < 3 ? price * 5 : price;
}

function cents(price: number): number {
  return Math.fround(Math.round(price * 100) / 100);
}
