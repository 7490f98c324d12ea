import { damaged } from "./damage.ts";
import { Overflow } from "./overflow.ts";
import type { PageSource } from "./page-source.ts";

/** A stored value: an integer is a bigint, a text the bytes that the file holds. */
export type StoredValue = null | bigint | number | Buffer | { text: Buffer };

/**
 * The cells of leaf pages, one after the other, as records: for each stored column its serial type, and where its
 * bytes are. Nothing is copied but rows that overflow their page.
 */
export class RecordCells {
  /** Serial type of each stored column; only the first `count` belong to this record. */
  readonly types: Int32Array;
  /** Where each value begins in `bytes`. */
  readonly offsets: Int32Array;
  /** Columns that the record holds: a row written before a column was added lacks it. */
  count = 0;
  bytes: Buffer;
  view: DataView;
  /** The rowid's upper and lower 32 bits. */
  rowidHigh = 0;
  rowidLow = 0;
  /** Bytes of the record. */
  length = 0;
  readonly #path: string;
  readonly #usable: number;
  readonly #mostLocal: number;
  readonly #leastLocal: number;
  readonly #overflow: Overflow;
  /** Where the varint that was read last ends. */
  #end = 0;
  #high = 0;
  #low = 0;

  /** @param columns how many of the stored columns are wanted, from the first */
  constructor(file: PageSource, columns: number) {
    this.types = new Int32Array(columns);
    this.offsets = new Int32Array(columns);
    this.bytes = Buffer.alloc(0);
    this.view = new DataView(this.bytes.buffer, 0, 0);
    this.#path = file.path;
    this.#usable = file.usable;
    this.#mostLocal = file.usable - 35;
    this.#leastLocal = Math.floor(((file.usable - 12) * 32) / 255) - 23;
    this.#overflow = new Overflow(file);
  }

  /** Reads the cell that begins at `at`; its page ends at `pageEnd`. @throws TimeliftError source-corrupt */
  read(page: Buffer, view: DataView, at: number, pageEnd: number): void {
    const length = this.#size(page, at, pageEnd);
    this.#varint(page, this.#end, pageEnd);
    this.rowidHigh = this.#high;
    this.rowidLow = this.#low;
    const start = this.#end;
    this.length = length;
    if (length <= this.#mostLocal) {
      if (start + length > pageEnd) throw this.#broken("a row reaches beyond its page");
      this.bytes = page;
      this.view = view;
      this.#parse(page, start, start + length);
      return;
    }
    const rest = this.#leastLocal + ((length - this.#leastLocal) % (this.#usable - 4));
    const local = rest <= this.#mostLocal ? rest : this.#leastLocal;
    if (start + local + 4 > pageEnd) throw this.#broken("a row reaches beyond its page");
    this.#overflow.join(page, start, local, length);
    this.bytes = this.#overflow.bytes;
    this.view = this.#overflow.view;
    this.#parse(this.bytes, 0, length);
  }

  /** The rowid as a number that loses no digit. */
  get rowid(): bigint {
    return (BigInt(this.rowidHigh) << 32n) | BigInt(this.rowidLow >>> 0);
  }

  /** The value of a stored column, whatever its class. A NaN is NULL, as SQLite reads it. */
  value(column: number): StoredValue {
    const type = this.types[column] as number;
    const at = this.offsets[column] as number;
    const { bytes, view } = this;
    switch (type) {
      case 0:
        return null;
      case 1:
        return BigInt(view.getInt8(at));
      case 2:
        return BigInt(view.getInt16(at));
      case 3:
        return BigInt(bytes.readIntBE(at, 3));
      case 4:
        return BigInt(view.getInt32(at));
      case 5:
        return BigInt(bytes.readIntBE(at, 6));
      case 6:
        return view.getBigInt64(at);
      case 7: {
        const double = view.getFloat64(at);
        return Number.isNaN(double) ? null : double;
      }
      case 8:
        return 0n;
      case 9:
        return 1n;
      default: {
        const length = (type - 12) >>> 1;
        const copy = Buffer.from(bytes.subarray(at, at + length));
        return type % 2 === 1 ? { text: copy } : copy;
      }
    }
  }

  #parse(bytes: Buffer, start: number, end: number): void {
    const { types, offsets } = this;
    const headerSize = this.#size(bytes, start, end);
    const headerEnd = start + headerSize;
    let at = this.#end;
    let value = headerEnd;
    let column = 0;
    if (headerEnd > end || headerEnd < at) throw this.#broken("a record's header is longer than the record");
    while (at < headerEnd && column < types.length) {
      const byte = bytes[at] as number;
      let type = byte;
      at += 1;
      if (byte >= 0x80) {
        type = this.#size(bytes, at - 1, headerEnd);
        at = this.#end;
      }
      types[column] = type;
      offsets[column] = value;
      value += type >= 12 ? (type - 12) >>> 1 : lengthOf(type);
      if (type === 10 || type === 11) throw this.#broken(`a value has serial type ${type}`);
      column += 1;
    }
    if (value > end) throw this.#broken("a value reaches beyond its record");
    this.count = column;
  }

  /** A varint that counts bytes or names a serial type. */
  #size(bytes: Buffer, at: number, end: number): number {
    if (at >= end) throw this.#broken("a number reaches beyond its page");
    const first = bytes[at] as number;
    if (first < 0x80) {
      this.#end = at + 1;
      return first;
    }
    this.#varint(bytes, at, end);
    if (this.#high !== 0 || this.#low < 0) throw this.#broken("a length is beyond 2 GB");
    return this.#low;
  }

  #varint(bytes: Buffer, start: number, end: number): void {
    let at = start;
    let high = 0;
    let low = 0;
    for (let index = 0; index < 9; index += 1) {
      if (at >= end) throw this.#broken("a number reaches beyond its page");
      const byte = bytes[at] as number;
      at += 1;
      const bits = index === 8 ? 8 : 7;
      high = (high << bits) | (low >>> (32 - bits));
      low = (low << bits) | (index === 8 ? byte : byte & 0x7f);
      if (byte < 0x80) break;
    }
    this.#high = high;
    this.#low = low;
    this.#end = at;
  }

  #broken(what: string) {
    return damaged(this.#path, `${what}.`);
  }
}

function lengthOf(type: number): number {
  return type < 5 ? type : type === 5 ? 6 : type < 8 ? 8 : 0;
}
