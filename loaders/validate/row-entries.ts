import type { RowBytes } from "./row-bytes.ts";
import { keyHash, RowHash } from "./row-hash.ts";
import type { RowSink } from "./row-sink.ts";
import type { TallyPlan } from "./row-tally.ts";

/** Words of an entry: two of the key's hash, four of the row's. */
const width = 6;

/** Notes the hashes of the rows in certain buckets. */
export class RowEntries implements RowSink {
  readonly #plan: TallyPlan;
  readonly #hash: RowHash;
  readonly #wanted: Uint8Array;
  readonly #shift: number;
  #entries = new Int32Array(width * 1024);
  #count = 0;

  constructor(plan: TallyPlan, bits: number, buckets: number[]) {
    this.#plan = plan;
    this.#hash = new RowHash(plan.seed);
    this.#wanted = new Uint8Array(2 ** bits);
    this.#shift = 32 - bits;
    for (const bucket of buckets) this.#wanted[bucket] = 1;
  }

  add({ view, starts }: RowBytes): void {
    const { key, seed } = this.#plan;
    const first = keyHash(view, starts, key, seed[0] as number);
    if (this.#wanted[first >>> this.#shift] === 0) return;
    this.#hash.hash(view, starts[0] as number, starts[starts.length - 1] as number);
    const at = this.#count * width;
    if (at === this.#entries.length) {
      const grown = new Int32Array(at * 2);
      grown.set(this.#entries);
      this.#entries = grown;
    }
    this.#entries[at] = first;
    this.#entries[at + 1] = keyHash(view, starts, key, seed[1] as number);
    this.#entries.set(this.#hash.words, at + 2);
    this.#count += 1;
  }

  result(): Int32Array {
    return this.#entries.slice(0, this.#count * width);
  }
}

/** Rows without an equal on the other side, for each key that has any: of the source, and of the target. */
export type Unmatched = Map<string, { source: number; target: number }>;

/** Pairs the entries of both sides, each of which answers for one of the other, and keeps those without an equal. */
export function unmatched(source: Int32Array, target: Int32Array): Unmatched {
  const [ours, theirs] = [sorted(source), sorted(target)];
  const found: Unmatched = new Map();
  const note = (entries: Int32Array, entry: number, side: "source" | "target") => {
    const key = keyName(entries[entry * width] as number, entries[entry * width + 1] as number);
    const rows = found.get(key) ?? { source: 0, target: 0 };
    rows[side] += 1;
    found.set(key, rows);
  };
  let [a, b] = [0, 0];
  while (a < ours.length || b < theirs.length) {
    const order =
      a === ours.length
        ? 1
        : b === theirs.length
          ? -1
          : compare(source, ours[a] as number, target, theirs[b] as number);
    if (order < 0) note(source, ours[a] as number, "source");
    if (order > 0) note(target, theirs[b] as number, "target");
    if (order <= 0) a += 1;
    if (order >= 0) b += 1;
  }
  return found;
}

/** What names a key in maps: the two words of its hash. */
export function keyName(first: number, second: number): string {
  return `${first},${second}`;
}

function sorted(entries: Int32Array): Uint32Array {
  const order = Uint32Array.from({ length: entries.length / width }, (_, index) => index);
  return order.sort((a, b) => compare(entries, a, entries, b));
}

function compare(a: Int32Array, entryA: number, b: Int32Array, entryB: number): number {
  for (let word = 0; word < width; word += 1) {
    const [left, right] = [a[entryA * width + word] as number, b[entryB * width + word] as number];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
