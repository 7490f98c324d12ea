import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { TimeliftError } from "../../timelift-error.ts";

const windowBytes = 256 * 1024;
const windows = 16;

/**
 * A SQLite file as its pages, for reading a table without SQLite: nobody may write it meanwhile. Pages are read in
 * windows of 256 KB, because those of one table lie near each other.
 */
export class DatabaseFile implements Disposable {
  /** The windows held; `page` says where in them a page is. */
  readonly bytes: Buffer;
  /** Bytes of a page that hold content; the rest is reserved by extensions. */
  readonly usable: number;
  readonly #path: string;
  readonly #file: number;
  readonly #pageSize: number;
  readonly #pages: number;
  readonly #perWindow: number;
  readonly #windowSize: number;
  readonly #held = new Int32Array(windows).fill(-1);

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, "r");
    const header = Buffer.alloc(100);
    readSync(this.#file, header, 0, 100, 0);
    const size = header.readUInt16BE(16);
    this.#pageSize = size === 1 ? 65536 : size;
    this.usable = this.#pageSize - header.readUInt8(20);
    this.#pages = Math.floor(fstatSync(this.#file).size / this.#pageSize);
    this.#windowSize = Math.max(windowBytes, this.#pageSize);
    this.#perWindow = this.#windowSize / this.#pageSize;
    this.bytes = Buffer.allocUnsafeSlow(windows * this.#windowSize);
  }

  /**
   * Where in `bytes` a page begins; only until the next call.
   * @throws TimeliftError source-damaged for a page that the file does not have
   */
  page(number: number): number {
    if (number < 1 || number > this.#pages) throw this.damaged(`page ${number} of ${this.#pages} is named`);
    const window = Math.floor((number - 1) / this.#perWindow);
    const slot = window % windows;
    const start = slot * this.#windowSize;
    if (this.#held[slot] !== window) {
      this.#held[slot] = -1;
      readSync(this.#file, this.bytes, start, this.#windowSize, window * this.#windowSize);
      this.#held[slot] = window;
    }
    return start + ((number - 1) % this.#perWindow) * this.#pageSize;
  }

  damaged(what: string): TimeliftError {
    return new TimeliftError({
      code: "source-damaged",
      subject: this.#path,
      problem: `the file's structure is broken: ${what}.`,
      remedy:
        'See what is left with: sqlite3 FILE "PRAGMA integrity_check"; .recover makes a new file of it.',
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
