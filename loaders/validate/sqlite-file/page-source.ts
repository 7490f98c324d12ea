import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { damaged } from "./damage.ts";

const headerBytes = 100;
const magic = "SQLite format 3\0";

/** The pages of a SQLite file at rest: nobody writes it, and it has no log beside it. */
export class PageSource implements Disposable {
  readonly path: string;
  readonly pageSize: number;
  /** Bytes of a page that hold data; the rest is reserved for extensions. */
  readonly usable: number;
  readonly pageCount: number;
  /** 1 for UTF-8, 2 and 3 for UTF-16. */
  readonly encoding: number;
  /** True for a file whose last changes may be in a log. */
  readonly wal: boolean;
  readonly #fd: number;

  /** @throws TimeliftError source-corrupt */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, "r");
    try {
      const header = Buffer.alloc(headerBytes);
      if (
        readSync(this.#fd, header, 0, headerBytes, 0) < headerBytes ||
        header.toString("latin1", 0, 16) !== magic
      ) {
        throw damaged(path, "it has no header of SQLite.");
      }
      const size = header.readUInt16BE(16);
      this.pageSize = size === 1 ? 65_536 : size;
      this.usable = this.pageSize - (header[20] as number);
      if (this.pageSize < 512 || (this.pageSize & (this.pageSize - 1)) !== 0 || this.usable < 480) {
        throw damaged(path, `a page of ${this.pageSize} bytes, ${this.usable} of them usable, cannot be.`);
      }
      this.pageCount = Math.floor(fstatSync(this.#fd).size / this.pageSize);
      this.encoding = header.readUInt32BE(56);
      this.wal = header[18] === 2 || header[19] === 2;
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /**
   * Reads `count` pages from page `first` (1 is the first of the file) to the beginning of `into`.
   * @throws TimeliftError source-corrupt, where the file has no such pages
   */
  read(first: number, count: number, into: Buffer): void {
    if (first < 1 || first + count - 1 > this.pageCount) {
      throw damaged(this.path, `page ${first + count - 1} is used, but the file has ${this.pageCount}.`);
    }
    const bytes = count * this.pageSize;
    for (let read = 0; read < bytes; ) {
      const got = readSync(this.#fd, into, read, bytes - read, (first - 1) * this.pageSize + read);
      if (got === 0) throw damaged(this.path, "it became shorter while it was read.");
      read += got;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
