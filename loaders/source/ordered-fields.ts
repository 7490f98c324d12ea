import type { CopyBuffer } from "../encode/copy-buffer.ts";

/** How a field's bytes compare: as they are, as a whole number or time, whose first bit is its sign, or as a double. */
export type FieldOrder = "bytes" | "signed" | "double";

/** Days before 2000, and microseconds, where PostgreSQL counts from; chunks are counted from 1970. */
const from1970 = 946_684_800_000_000;
const dayMicros = 86_400_000_000;

/**
 * Encoded rows of one buffer, to be taken chunk by chunk, and in each chunk in the order of some of their fields: NULL
 * first, numbers and times by value, texts by their bytes. A chunk that gets its rows together takes them in a fifth
 * less time than one that gets a few now and then.
 */
export class OrderedFields {
  readonly #orders: FieldOrder[];
  /** Span of a chunk in microseconds; the last field noted is then the time. Zero for no chunks. */
  readonly #span: number;
  /** Of each row its start, then where each field is. */
  #places: Uint32Array;
  readonly #width: number;
  #rows = 0;

  constructor(orders: FieldOrder[], span = 0) {
    this.#orders = orders;
    this.#span = span;
    this.#width = 1 + orders.length + (span > 0 ? 1 : 0);
    this.#places = new Uint32Array(4096 * this.#width);
  }

  /** Notes the next row; `fields` says where its fields are. */
  add(start: number, fields: Uint32Array): void {
    const at = this.#rows * this.#width;
    if (at + this.#width > this.#places.length) {
      const larger = new Uint32Array(this.#places.length * 2);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[at] = start;
    for (let i = 1; i < this.#width; i += 1) this.#places[at + i] = fields[i - 1] as number;
    this.#rows += 1;
  }

  /** Starts anew. */
  forget(): void {
    this.#rows = 0;
  }

  /** The stretches of `out` that give the rows in order; neighbours are one stretch. Starts anew. */
  *take(out: CopyBuffer): Generator<readonly [start: number, end: number]> {
    const rows = this.#rows;
    const order = this.#inOrder(out);
    const startOf = (row: number) => (row < rows ? (this.#places[row * this.#width] as number) : out.at);
    for (let i = 0; i < rows; ) {
      const first = order[i] as number;
      let next = first + 1;
      for (i += 1; i < rows && order[i] === next; i += 1) next += 1;
      yield [startOf(first), startOf(next)];
    }
    this.#rows = 0;
  }

  #inOrder(out: CopyBuffer): Uint32Array {
    const { order, groups } = this.#byChunk(out);
    if (this.#orders.length === 0) return order;
    for (let from = 0, group = 0; group < groups.length; group += 1) {
      const to = groups[group] as number;
      const rows = order.subarray(from, to);
      if (!this.#isSorted(out, rows)) rows.sort((a, b) => this.#compare(out, a, b) || a - b);
      from = to;
    }
    return order;
  }

  /** The rows chunk by chunk, otherwise as they came; `groups` are the ends of the chunks. */
  #byChunk(out: CopyBuffer): { order: Uint32Array; groups: ArrayLike<number> } {
    const rows = this.#rows;
    const order = Uint32Array.from({ length: rows }, (_, i) => i);
    if (this.#span === 0) return { order, groups: [rows] };
    const numbers = new Map<number, number>();
    const groupOf = new Uint32Array(rows);
    const counts: number[] = [];
    let last = Number.NaN;
    let group = 0;
    for (let row = 0; row < rows; row += 1) {
      const chunk = this.#chunkOf(out, row);
      if (chunk !== last) {
        last = chunk;
        group = numbers.get(chunk) ?? counts.push(0) - 1;
        numbers.set(chunk, group);
      }
      groupOf[row] = group;
      counts[group] = (counts[group] as number) + 1;
    }
    // Oldest chunk first, whatever came first.
    const sorted = [...numbers].sort(([a], [b]) => a - b).map(([, each]) => each);
    const next = new Uint32Array(counts.length);
    const groups: number[] = [];
    let sum = 0;
    for (const each of sorted) {
      next[each] = sum;
      sum += counts[each] as number;
      groups.push(sum);
    }
    for (let row = 0; row < rows; row += 1) {
      const at = groupOf[row] as number;
      order[next[at] as number] = row;
      next[at] = (next[at] as number) + 1;
    }
    return { order, groups };
  }

  #chunkOf({ view }: CopyBuffer, row: number): number {
    const at = this.#places[(row + 1) * this.#width - 1] as number;
    const length = view.getInt32(at);
    const micros =
      length === 8
        ? view.getInt32(at + 4) * 2 ** 32 + view.getUint32(at + 8)
        : length === 4
          ? view.getInt32(at + 4) * dayMicros
          : 0;
    return Math.floor((micros + from1970) / this.#span);
  }

  #isSorted(out: CopyBuffer, rows: Uint32Array): boolean {
    for (let i = 1; i < rows.length; i += 1) {
      if (this.#compare(out, rows[i - 1] as number, rows[i] as number) > 0) return false;
    }
    return true;
  }

  #compare(out: CopyBuffer, a: number, b: number): number {
    for (let key = 0; key < this.#orders.length; key += 1) {
      const atA = this.#places[a * this.#width + 1 + key] as number;
      const atB = this.#places[b * this.#width + 1 + key] as number;
      const difference = compareFields(out, atA, atB, this.#orders[key] as FieldOrder);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

function compareFields({ view, bytes }: CopyBuffer, atA: number, atB: number, order: FieldOrder): number {
  const lengthA = view.getInt32(atA);
  const lengthB = view.getInt32(atB);
  if (lengthA < 0 || lengthB < 0) return lengthA === lengthB ? 0 : lengthA < 0 ? -1 : 1;
  if (order === "double") return view.getFloat64(atA + 4) - view.getFloat64(atB + 4);
  const flip = order === "signed" ? 128 : 0;
  const shorter = Math.min(lengthA, lengthB);
  for (let i = 0; i < shorter; i += 1) {
    const byteA = (bytes[atA + 4 + i] as number) ^ (i === 0 ? flip : 0);
    const byteB = (bytes[atB + 4 + i] as number) ^ (i === 0 ? flip : 0);
    if (byteA !== byteB) return byteA - byteB;
  }
  return lengthA - lengthB;
}
