import type { DatabaseFile } from "./database-file.ts";
import type { StoredRecord } from "./stored-record.ts";

const interiorPage = 5;
const leafPage = 13;
/** No b-tree of a file that SQLite can make is deeper. */
const deepest = 40;

/** Walks the rows of one rowid table, from one rowid to another, over the pages of its b-tree. */
export class TableCursor {
  readonly #file: DatabaseFile;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #record: StoredRecord;
  readonly #highest: number;
  /** Interior pages on the way down, with the child taken of each. */
  readonly #path: { page: number; child: number }[] = [];
  #leaf = 0;
  #leafAt = 0;
  #cells = 0;
  #cell = 0;
  #pointers = 0;
  #long = Buffer.alloc(0);
  #longView = new DataView(this.#long.buffer);
  #varint = 0;

  /** Places the cursor before the first row with a rowid of at least `lowest`. */
  constructor(file: DatabaseFile, root: number, record: StoredRecord, lowest: number, highest: number) {
    this.#file = file;
    this.#bytes = file.bytes;
    this.#view = new DataView(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length);
    this.#record = record;
    this.#highest = highest;
    this.#descend(root, lowest);
    while (this.#cell < this.#cells && this.#rowidAt(this.#cell) < lowest) this.#cell += 1;
  }

  /** Reads the next row into the record; false when there is none. */
  next(): boolean {
    while (this.#cell >= this.#cells) if (!this.#nextLeaf()) return false;
    const bytes = this.#bytes;
    let at = this.#cellAt(this.#cell);
    let size = bytes[at++] as number;
    if (size > 127) {
      at = this.#readVarint(at - 1);
      size = this.#varint;
    }
    at = this.#readVarint(at);
    const rowid = this.#varint;
    if (rowid > this.#highest) return false;
    this.#cell += 1;
    this.#record.rowid = rowid;
    const { usable } = this.#file;
    if (size <= usable - 35) {
      if (this.#record.parse(bytes, this.#view, at, size)) return true;
    } else {
      this.#assemble(at, size);
      if (this.#record.parse(this.#long, this.#longView, 0, size)) return true;
    }
    throw this.#file.damaged(`row ${rowid} on page ${this.#leaf} does not fit its length`);
  }

  #descend(root: number, lowest: number): void {
    let page = root;
    for (;;) {
      if (this.#path.length > deepest) throw this.#file.damaged(`the tree over page ${root} has no end`);
      const { at, header } = this.#open(page);
      const type = this.#bytes[header];
      const cells = this.#view.getUint16(header + 3);
      if (type === leafPage) {
        this.#leaf = page;
        this.#leafAt = at;
        this.#cells = cells;
        this.#cell = 0;
        this.#pointers = header + 8;
        return;
      }
      if (type !== interiorPage)
        throw this.#file.damaged(`page ${page} is no page of a table (type ${type})`);
      let child = 0;
      for (; child < cells; child += 1) {
        this.#readVarint(at + this.#view.getUint16(header + 12 + child * 2) + 4);
        if (this.#varint >= lowest) break;
      }
      this.#path.push({ page, child });
      page = this.#childOf(page, child);
    }
  }

  #nextLeaf(): boolean {
    for (;;) {
      const above = this.#path.at(-1);
      if (above === undefined) return false;
      const { header } = this.#open(above.page);
      if (above.child >= this.#view.getUint16(header + 3)) {
        this.#path.pop();
        continue;
      }
      above.child += 1;
      this.#descend(this.#childOf(above.page, above.child), Number.NEGATIVE_INFINITY);
      return true;
    }
  }

  #childOf(page: number, child: number): number {
    const { at, header } = this.#open(page);
    const cells = this.#view.getUint16(header + 3);
    if (child >= cells) return this.#view.getUint32(header + 8);
    return this.#view.getUint32(at + this.#view.getUint16(header + 12 + child * 2));
  }

  /** Page 1 begins with the file's header. */
  #open(page: number): { at: number; header: number } {
    const at = this.#file.page(page);
    return { at, header: page === 1 ? at + 100 : at };
  }

  #cellAt(cell: number): number {
    return this.#leafAt + this.#view.getUint16(this.#pointers + cell * 2);
  }

  #rowidAt(cell: number): number {
    this.#readVarint(this.#readVarint(this.#cellAt(cell)));
    return this.#varint;
  }

  /** Reads a variable-length integer into `#varint` and returns where it ends. */
  #readVarint(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    let value = 0;
    for (let i = 0; i < 8; i += 1) {
      const byte = bytes[at++] as number;
      value = value * 128 + (byte & 127);
      if (byte < 128) {
        this.#varint = value;
        return at;
      }
    }
    // Nine bytes: all 64 bits, of which the first says negative.
    let all = 0n;
    for (let i = start; i < at; i += 1) all = (all << 7n) | BigInt((bytes[i] as number) & 127);
    this.#varint = Number(BigInt.asIntN(64, (all << 8n) | BigInt(bytes[at++] as number)));
    return at;
  }

  /** Joins a row that goes on over overflow pages. */
  #assemble(at: number, size: number): void {
    const { usable } = this.#file;
    if (size > 2 ** 31) throw this.#file.damaged(`a row on page ${this.#leaf} claims ${size} bytes`);
    if (this.#long.length < size) {
      this.#long = Buffer.allocUnsafeSlow(Math.max(size, this.#long.length * 2));
      this.#longView = new DataView(this.#long.buffer);
    }
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fitting = least + ((size - least) % (usable - 4));
    const local = fitting <= usable - 35 ? fitting : least;
    this.#bytes.copy(this.#long, 0, at, at + local);
    let filled = local;
    let next = this.#view.getUint32(at + local);
    while (filled < size) {
      const from = this.#file.page(next);
      const part = Math.min(size - filled, usable - 4);
      this.#bytes.copy(this.#long, filled, from + 4, from + 4 + part);
      filled += part;
      next = this.#view.getUint32(from);
    }
    // An overflow page may have taken the place of the leaf's window.
    const { at: leafAt, header } = this.#open(this.#leaf);
    this.#leafAt = leafAt;
    this.#pointers = header + 8;
  }
}
