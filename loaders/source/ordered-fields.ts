import type { CopyBuffer } from "../encode/copy-buffer.ts";

/** How a field's bytes compare: as they are, as a whole number or time, whose first bit is its sign, or as a double. */
export type FieldOrder = "bytes" | "signed" | "double";

/**
 * Encoded rows of one buffer, to be taken in the order of some of their fields: NULL first, numbers and times by
 * value, texts by their bytes.
 */
export class OrderedFields {
  readonly #keys: number;
  readonly #orders: FieldOrder[];
  /** Of each row its start, then where each key's field is. */
  #places = new Uint32Array(4096);
  #rows = 0;
  #inOrder = true;

  constructor(orders: FieldOrder[]) {
    this.#orders = orders;
    this.#keys = orders.length;
  }

  /** Notes the next row; `key` says where its fields are. */
  add(out: CopyBuffer, start: number, key: Uint32Array): void {
    const width = this.#keys + 1;
    const at = this.#rows * width;
    if (at + width > this.#places.length) {
      const larger = new Uint32Array(this.#places.length * 2);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[at] = start;
    for (let i = 0; i < this.#keys; i += 1) this.#places[at + 1 + i] = key[i] as number;
    this.#rows += 1;
    if (this.#inOrder && this.#rows > 1 && this.#compare(out, this.#rows - 2, this.#rows - 1) > 0) {
      this.#inOrder = false;
    }
  }

  /** Calls `visit` with the stretches of `out` that give the rows in order; forgets them. */
  *take(out: CopyBuffer): Generator<readonly [start: number, end: number]> {
    const rows = this.#rows;
    const width = this.#keys + 1;
    if (this.#inOrder) {
      yield [0, out.at];
    } else {
      const order = Uint32Array.from({ length: rows }, (_, i) => i);
      order.sort((a, b) => this.#compare(out, a, b) || a - b);
      for (const row of order) {
        const end = row + 1 < rows ? (this.#places[(row + 1) * width] as number) : out.at;
        yield [this.#places[row * width] as number, end];
      }
    }
    this.forget();
  }

  /** Forgets the rows that were noted. */
  forget(): void {
    this.#rows = 0;
    this.#inOrder = true;
  }

  #compare(out: CopyBuffer, a: number, b: number): number {
    const width = this.#keys + 1;
    for (let key = 0; key < this.#keys; key += 1) {
      const atA = this.#places[a * width + 1 + key] as number;
      const atB = this.#places[b * width + 1 + key] as number;
      const lengthA = out.view.getInt32(atA);
      const lengthB = out.view.getInt32(atB);
      if (lengthA < 0 || lengthB < 0) {
        if (lengthA !== lengthB) return lengthA < 0 ? -1 : 1;
        continue;
      }
      if (this.#orders[key] === "double") {
        const difference = out.view.getFloat64(atA + 4) - out.view.getFloat64(atB + 4);
        if (difference !== 0) return difference;
        continue;
      }
      const flip = this.#orders[key] === "signed" ? 128 : 0;
      const shorter = Math.min(lengthA, lengthB);
      for (let i = 0; i < shorter; i += 1) {
        const byteA = (out.bytes[atA + 4 + i] as number) ^ (i === 0 ? flip : 0);
        const byteB = (out.bytes[atB + 4 + i] as number) ^ (i === 0 ? flip : 0);
        if (byteA !== byteB) return byteA - byteB;
      }
      if (lengthA !== lengthB) return lengthA - lengthB;
    }
    return 0;
  }
}
