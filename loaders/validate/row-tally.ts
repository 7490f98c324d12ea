import type { TargetType } from "../target-table.ts";
import type { RowBytes } from "./row-bytes.ts";
import { keyHash, RowHash } from "./row-hash.ts";
import type { RowSink } from "./row-sink.ts";

/** Buckets of the first pass; each row is in the one that its key's hash names. */
export const bucketBits = 12;
/** Numbers of a bucket: the four words of its sum, and its rows. */
const width = 5;

/** What a tally has to know of a table. Plain data: it crosses threads. */
export interface TallyPlan {
  seed: Int32Array;
  kinds: TargetType["kind"][];
  /** Positions of the key's columns. */
  key: number[];
  /** Position of the hypertable's time column, -1 where there is none. */
  time: number;
}

/** What one side holds of a table. Plain data. */
export interface Tally {
  rows: number;
  /** For each bucket the four words of its sum and its rows. */
  buckets: Int32Array;
  /** NULLs of each column. */
  nulls: Float64Array;
  /** First and last value of the time column, as whole numbers; null without rows. */
  range: [bigint, bigint] | null;
}

/**
 * Adds up rows by the buckets of their keys' hashes. A sum modulo 2^32 in each of four lanes, not an exclusive or: a
 * doubled row would cancel itself out there.
 */
export class RowTally implements RowSink {
  readonly #plan: TallyPlan;
  readonly #hash: RowHash;
  readonly #buckets: Int32Array;
  readonly #shift: number;
  readonly #nulls: Float64Array;
  readonly #timeBytes: number;
  #rows = 0;
  #lowHigh = 0;
  #lowLow = 0;
  #highHigh = 0;
  #highLow = 0;
  #ranged = false;

  constructor(plan: TallyPlan, bits = bucketBits) {
    this.#plan = plan;
    this.#hash = new RowHash(plan.seed);
    this.#buckets = new Int32Array(width * 2 ** bits);
    this.#shift = 32 - bits;
    this.#nulls = new Float64Array(plan.kinds.length);
    this.#timeBytes = plan.time < 0 ? 0 : bytesOf(plan.kinds[plan.time] as TargetType["kind"]);
  }

  add({ view, starts }: RowBytes): void {
    const { key, seed, time } = this.#plan;
    const fields = starts.length - 1;
    const start = starts[0] as number;
    for (let field = 0; field < fields; field += 1) {
      if (view.getInt32(starts[field] as number) === -1) (this.#nulls[field] as number) += 1;
    }
    const bucket = (keyHash(view, starts, key, seed[0] as number) >>> this.#shift) * width;
    this.#hash.hash(view, start, starts[fields] as number);
    const words = this.#hash.words;
    const buckets = this.#buckets;
    (buckets[bucket] as number) += words[0] as number;
    (buckets[bucket + 1] as number) += words[1] as number;
    (buckets[bucket + 2] as number) += words[2] as number;
    (buckets[bucket + 3] as number) += words[3] as number;
    (buckets[bucket + 4] as number) += 1;
    this.#rows += 1;
    if (time >= 0) this.#widen(view, starts[time] as number);
  }

  result(): Tally {
    const value = (high: number, low: number) => (BigInt(high) << 32n) | BigInt(low >>> 0);
    return {
      rows: this.#rows,
      buckets: this.#buckets,
      nulls: this.#nulls,
      range: this.#ranged ? [value(this.#lowHigh, this.#lowLow), value(this.#highHigh, this.#highLow)] : null,
    };
  }

  #widen(view: DataView, at: number): void {
    if (view.getInt32(at) === -1) return;
    let high: number;
    let low: number;
    if (this.#timeBytes === 8) {
      high = view.getInt32(at + 4);
      low = view.getInt32(at + 8);
    } else {
      low = this.#timeBytes === 4 ? view.getInt32(at + 4) : view.getInt16(at + 4);
      high = low >> 31;
    }
    if (!this.#ranged || before(high, low, this.#lowHigh, this.#lowLow)) {
      this.#lowHigh = high;
      this.#lowLow = low;
    }
    if (!this.#ranged || before(this.#highHigh, this.#highLow, high, low)) {
      this.#highHigh = high;
      this.#highLow = low;
    }
    this.#ranged = true;
  }
}

function before(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low >>> 0 < otherLow >>> 0);
}

function bytesOf(kind: TargetType["kind"]): number {
  return kind === "int2" ? 2 : kind === "int4" || kind === "date" ? 4 : 8;
}

/** The buckets in which two tallies differ. */
export function differingBuckets(a: Tally, b: Tally): number[] {
  const differing: number[] = [];
  for (let at = 0; at < a.buckets.length; at += width) {
    for (let word = 0; word < width; word += 1) {
      if (a.buckets[at + word] === b.buckets[at + word]) continue;
      differing.push(at / width);
      break;
    }
  }
  return differing;
}

/** Rows of a tally in one bucket. */
export function rowsIn(tally: Tally, bucket: number): number {
  return tally.buckets[bucket * width + width - 1] as number;
}

/** The sum of all buckets as a person compares it: 32 hex digits. */
export function sumText({ buckets }: Tally): string {
  const words = new Uint32Array(width - 1);
  for (let at = 0; at < buckets.length; at += width) {
    for (let word = 0; word < words.length; word += 1) {
      (words[word] as number) += buckets[at + word] as number;
    }
  }
  return Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("");
}
