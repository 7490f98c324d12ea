import { damaged } from "./damage.ts";
import type { PageSource } from "./page-source.ts";

const longestRun = 64;

/** Joins the payload of a cell that does not fit into its page. The bytes are used again for the next one. */
export class Overflow {
  readonly #file: PageSource;
  #pages: Buffer;
  bytes: Buffer;
  view: DataView;

  constructor(file: PageSource) {
    this.#file = file;
    this.#pages = Buffer.alloc(0);
    this.bytes = Buffer.alloc(0);
    this.view = new DataView(this.bytes.buffer, 0, 0);
  }

  /**
   * Fills `bytes` with a payload of `length` bytes: `local` of them are at `at` of `page`, then comes the number of the
   * first overflow page.
   * @throws TimeliftError source-corrupt
   */
  join(page: Buffer, at: number, local: number, length: number): void {
    const { pageSize, usable, pageCount, path } = this.#file;
    if (length > pageCount * pageSize)
      throw damaged(path, `a row of ${length} bytes is longer than the file.`);
    this.#reserve(length);
    page.copy(this.bytes, 0, at, at + local);
    let filled = local;
    let next = page.readUInt32BE(at + local);
    // Overflow pages mostly follow each other: more of them are read at once, as long as they do.
    let run = 1;
    while (filled < length) {
      const wanted = Math.ceil((length - filled) / (usable - 4));
      const first = next;
      const count = Math.max(1, Math.min(run, wanted, pageCount - first + 1));
      this.#file.read(first, count, this.#pages);
      for (let index = 0; index < count && next === first + index && filled < length; index += 1) {
        const base = index * pageSize;
        const part = Math.min(usable - 4, length - filled);
        this.#pages.copy(this.bytes, filled, base + 4, base + 4 + part);
        filled += part;
        next = this.#pages.readUInt32BE(base);
      }
      run = next === first + count ? Math.min(run * 4, longestRun) : 1;
    }
    if (next !== 0) throw damaged(path, "an overflow chain goes on beyond its row.");
  }

  #reserve(length: number): void {
    if (this.#pages.length === 0) this.#pages = Buffer.allocUnsafeSlow(longestRun * this.#file.pageSize);
    if (this.bytes.length >= length) return;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.bytes.length, 65_536));
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }
}
