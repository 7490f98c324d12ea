import { createHash, type Hash } from "node:crypto";
import type { StoredRecord } from "./stored-record.ts";

const flushBytes = 256 * 1024;

/** Digest of rows as they are stored: each with its rowid and length, so that nothing can move from row to row. */
export class RecordDigest {
  readonly #hash: Hash;
  #bytes = Buffer.allocUnsafeSlow(flushBytes * 2);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  constructor(seed: string) {
    this.#hash = createHash("sha256").update(`pages ${seed}`);
  }

  add({ bytes, at, length, rowid }: StoredRecord): void {
    if (this.#at + 12 + length > this.#bytes.length) this.#flush(12 + length);
    this.#view.setFloat64(this.#at, rowid);
    this.#view.setUint32(this.#at + 8, length);
    this.#at += 12 + bytes.copy(this.#bytes, this.#at + 12, at, at + length);
  }

  /** The digest, hex; nothing can be added afterwards. */
  finish(): string {
    this.#flush(0);
    return this.#hash.digest("hex").slice(0, 32);
  }

  #flush(room: number): void {
    this.#hash.update(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    if (room <= this.#bytes.length) return;
    this.#bytes = Buffer.allocUnsafeSlow(room);
    this.#view = new DataView(this.#bytes.buffer);
  }
}
