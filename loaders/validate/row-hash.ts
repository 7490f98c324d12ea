/**
 * A hash of 128 bits over canonical bytes, quick rather than safe against forgers: MurmurHash3's way of mixing four
 * lanes of 32 bits, with a seed of its own for each. Both sides of one validation use the same seed.
 */
export class RowHash {
  /** The last hash. */
  readonly words = new Int32Array(4);
  readonly #seed: Int32Array;
  readonly #tail = new DataView(new ArrayBuffer(16));

  constructor(seed: Int32Array) {
    this.#seed = seed;
  }

  /** Hashes the bytes from `start` up to `end` into `words`. */
  hash(view: DataView, start: number, end: number): void {
    const seed = this.#seed;
    let a = seed[0] as number;
    let b = seed[1] as number;
    let c = seed[2] as number;
    let d = seed[3] as number;
    let source = view;
    let at = start;
    let left = end - start;
    while (left > 0) {
      if (left < 16) {
        source = this.#padded(view, at, end);
        at = 0;
      }
      const p = source.getInt32(at, true);
      const q = source.getInt32(at + 4, true);
      const r = source.getInt32(at + 8, true);
      const s = source.getInt32(at + 12, true);
      let k = Math.imul(p, 0x239b961b);
      a ^= Math.imul((k << 15) | (k >>> 17), 0xab0e9789);
      a = (Math.imul(((a << 19) | (a >>> 13)) + b, 5) + 0x561ccd1b) | 0;
      k = Math.imul(q, 0xab0e9789);
      b ^= Math.imul((k << 16) | (k >>> 16), 0x38b34ae5);
      b = (Math.imul(((b << 17) | (b >>> 15)) + c, 5) + 0x0bcaa747) | 0;
      k = Math.imul(r, 0x38b34ae5);
      c ^= Math.imul((k << 17) | (k >>> 15), 0xa1e38b93);
      c = (Math.imul(((c << 15) | (c >>> 17)) + d, 5) + 0x96cd1c35) | 0;
      k = Math.imul(s, 0xa1e38b93);
      d ^= Math.imul((k << 18) | (k >>> 14), 0x239b961b);
      d = (Math.imul(((d << 13) | (d >>> 19)) + a, 5) + 0x32ac3b17) | 0;
      at += 16;
      left -= 16;
    }
    const length = end - start;
    a ^= length;
    b ^= length;
    c ^= length;
    d ^= length;
    a = (a + b + c + d) | 0;
    b = finished(b + a);
    c = finished(c + a);
    d = finished(d + a);
    a = finished(a);
    a = (a + b + c + d) | 0;
    const { words } = this;
    words[0] = a;
    words[1] = b + a;
    words[2] = c + a;
    words[3] = d + a;
  }

  /** The last, incomplete block, filled up with zeros; the length tells it from one that ends in zeros. */
  #padded(view: DataView, start: number, end: number): DataView {
    const tail = this.#tail;
    tail.setInt32(0, 0);
    tail.setInt32(4, 0);
    tail.setInt32(8, 0);
    tail.setInt32(12, 0);
    let to = 0;
    let at = start;
    for (; at + 4 <= end; at += 4, to += 4) tail.setInt32(to, view.getInt32(at));
    for (; at < end; at += 1, to += 1) tail.setUint8(to, view.getUint8(at));
    return tail;
  }
}

/** The seed of every validation (digits of pi), so that the same rows always have the same checksum. */
export const rowSeed = Int32Array.of(0x243f6a88, -0x7a5c76f8, 0x13198a2e, 0x03707344);

/** The hash of a row's key, 32 bits: its upper bits choose a bucket. */
export function keyHash(view: DataView, starts: Int32Array, key: readonly number[], seed: number): number {
  let hash = seed;
  for (let index = 0; index < key.length; index += 1) {
    const field = key[index] as number;
    const end = starts[field + 1] as number;
    let at = starts[field] as number;
    for (; at + 4 <= end; at += 4) hash = mixed(hash, view.getInt32(at, true));
    let rest = 0;
    for (; at < end; at += 1) rest = (rest << 8) | view.getUint8(at);
    hash = mixed(hash, rest);
  }
  return finished(hash);
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** Lets every bit of a word depend on every other. */
function finished(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
