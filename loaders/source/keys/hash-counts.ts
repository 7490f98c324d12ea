/** Bits for each row, so that hardly any two keys share one; never more bits than make 32 MB. */
const bitsARow = 32;
const mostBits = 2 ** 28;

/** Which hashes of keys occurred, and which more than once. */
export class HashCounts {
  readonly #mask: number;
  readonly #once: Uint32Array;
  readonly #twice: Uint32Array;
  anyTwice = false;

  constructor(rows: number) {
    let bits = 2 ** 16;
    while (bits < rows * bitsARow && bits < mostBits) bits *= 2;
    this.#mask = bits - 1;
    this.#once = new Uint32Array(bits / 32);
    this.#twice = new Uint32Array(bits / 32);
  }

  add(key: Buffer): void {
    const hash = hashOf(key) & this.#mask;
    const at = hash >>> 5;
    const bit = 1 << (hash & 31);
    if (((this.#once[at] as number) & bit) === 0) {
      (this.#once[at] as number) |= bit;
      return;
    }
    (this.#twice[at] as number) |= bit;
    this.anyTwice = true;
  }

  isTwice(key: Buffer): boolean {
    const hash = hashOf(key) & this.#mask;
    return ((this.#twice[hash >>> 5] as number) & (1 << (hash & 31))) !== 0;
  }
}

/** FNV-1a with a last stirring, since only some of its bits are used. */
function hashOf(key: Buffer): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ (key[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
