import type { SourceValue } from "../../encode/value-problem.ts";

/** Bytes of a value by its serial type, up to 11; beyond, texts and blobs carry their length in the type. */
const sizes = Uint8Array.of(0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0);

/** Serial types of SQLite's record format (sqlite.org/fileformat.html, "Record Format"). */
export const serial = { null: 0, real: 7, zero: 8, one: 9 } as const;

/** One stored row: where in `bytes` each of its values is. The same object serves for all rows. */
export class StoredRecord {
  bytes: Buffer;
  view: DataView;
  rowid = 0;
  /** First byte of the record and its length. */
  at = 0;
  length = 0;
  /** Values that are there: rows older than an added column have fewer than the table. */
  count = 0;
  readonly serials: Float64Array;
  readonly offsets: Uint32Array;

  /** @param columns how many stored columns are asked for */
  constructor(columns: number) {
    this.bytes = Buffer.alloc(0);
    this.view = new DataView(this.bytes.buffer);
    this.serials = new Float64Array(columns);
    this.offsets = new Uint32Array(columns);
  }

  /** Finds the values of the record at `at`; false when its header does not fit its length. */
  parse(bytes: Buffer, view: DataView, at: number, length: number): boolean {
    this.bytes = bytes;
    this.view = view;
    this.at = at;
    this.length = length;
    const { serials, offsets } = this;
    const wanted = serials.length;
    let cursor = at;
    let header = bytes[cursor++] as number;
    if (header > 127) {
      header = ((header & 127) << 7) | ((bytes[cursor++] as number) & 127);
      if ((bytes[cursor - 1] as number) > 127) header = (header << 7) | (bytes[cursor++] as number);
    }
    const headerEnd = at + header;
    const end = at + length;
    if (headerEnd > end) return false;
    let value = headerEnd;
    let count = 0;
    while (cursor < headerEnd && count < wanted) {
      let type = bytes[cursor++] as number;
      if (type > 127) {
        type &= 127;
        let byte: number;
        do {
          byte = bytes[cursor++] as number;
          type = type * 128 + (byte & 127);
        } while (byte > 127 && cursor < headerEnd);
      }
      serials[count] = type;
      offsets[count] = value;
      value += type < 12 ? (sizes[type] as number) : Math.floor((type - 12) / 2);
      count += 1;
    }
    this.count = count;
    return value <= end;
  }

  /** Bytes of a text or blob. */
  sizeOf(column: number): number {
    return ((this.serials[column] as number) - 12) >>> 1;
  }

  /** A whole number as a number; exact up to 6 bytes, `bigintOf` for 8. */
  integerOf(column: number): number {
    const at = this.offsets[column] as number;
    switch (this.serials[column]) {
      case 1:
        return this.view.getInt8(at);
      case 2:
        return this.view.getInt16(at);
      case 3:
        return this.view.getInt8(at) * 65536 + this.view.getUint16(at + 1);
      case 4:
        return this.view.getInt32(at);
      case 5:
        return this.view.getInt16(at) * 2 ** 32 + this.view.getUint32(at + 2);
      case 8:
        return 0;
      default:
        return 1;
    }
  }

  /** Whether the value is a whole number that `integerOf` gives exactly. */
  isShortInteger(column: number): boolean {
    const type = this.serials[column] as number;
    return (type >= 1 && type <= 5) || type === serial.zero || type === serial.one;
  }

  /** A value as SQLite's library would give it. `real`: the column's affinity turns whole numbers into reals. */
  valueOf(column: number, real: boolean): SourceValue {
    const type = this.serials[column] as number;
    const at = this.offsets[column] as number;
    if (type === serial.null) return null;
    if (type === serial.real) return this.view.getFloat64(at);
    if (type < 12) {
      const whole = type === 6 ? this.view.getBigInt64(at) : BigInt(this.integerOf(column));
      return real ? Number(whole) : whole;
    }
    const end = at + this.sizeOf(column);
    // A copy: these bytes are soon another page's.
    return type % 2 === 1 ? this.bytes.toString("utf8", at, end) : Buffer.from(this.bytes.subarray(at, end));
  }
}
