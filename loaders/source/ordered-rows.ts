import { CopyBuffer } from "../encode/copy-buffer.ts";
import type { SourceValue } from "../encode/value-problem.ts";

/**
 * Encoded rows waiting to be written in a given order. Rows that arrive in order cost a comparison each;
 * only a run that does not is sorted.
 */
export class OrderedRows {
  readonly #keyOf: number[];
  #starts: number[] = [];
  #keys: SourceValue[][] = [];
  #inOrder = true;

  /** @param keyOf positions, in a row, of the values that give the order */
  constructor(keyOf: number[]) {
    this.#keyOf = keyOf;
  }

  /** Notes a row that is encoded from `start` on. */
  add(row: SourceValue[], start: number): void {
    const key = this.#keyOf.map((position) => row[position] as SourceValue);
    const last = this.#keys.at(-1);
    if (last !== undefined && this.#inOrder && compareKeys(last, key) > 0) this.#inOrder = false;
    this.#starts.push(start);
    this.#keys.push(key);
  }

  /** The rows of `out` in order; starts anew. */
  take(out: CopyBuffer): CopyBuffer {
    const starts = this.#starts;
    const keys = this.#keys;
    const sorted = this.#inOrder ? out : new CopyBuffer(out.at);
    if (!this.#inOrder) {
      const order = starts
        .map((_, i) => i)
        .sort((a, b) => compareKeys(keys[a] ?? [], keys[b] ?? []) || a - b);
      for (const i of order) {
        const end = starts[i + 1] ?? out.at;
        sorted.at += out.bytes.copy(sorted.bytes, sorted.at, starts[i], end);
      }
    }
    this.forget();
    return sorted;
  }

  /** Starts anew. */
  forget(): void {
    this.#starts = [];
    this.#keys = [];
    this.#inOrder = true;
  }
}

function compareKeys(a: SourceValue[], b: SourceValue[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i] ?? null, b[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: SourceValue, b: SourceValue): number {
  if (a === b) return 0;
  const [rankA, rankB] = [rank(a), rank(b)];
  if (rankA !== rankB) return rankA - rankB;
  if (a instanceof Buffer && b instanceof Buffer) return Buffer.compare(a, b);
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function rank(value: SourceValue): number {
  if (value === null) return 0;
  if (typeof value === "string") return 2;
  return typeof value === "object" ? 3 : 1;
}
