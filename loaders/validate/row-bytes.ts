/**
 * One row in canonical bytes: for each field its length as PostgreSQL's binary COPY writes it (four bytes, -1 for NULL),
 * then what the type's send function gives. The same object serves one row after the other.
 */
export class RowBytes {
  bytes: Buffer;
  view: DataView;
  /** Where each field's length begins; one more for the end of the row. */
  readonly starts: Int32Array;
  /** Where the next byte goes. */
  at = 0;

  constructor(fields: number, size = 4096) {
    this.starts = new Int32Array(fields + 1);
    this.bytes = Buffer.alloc(size);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** Makes room for so many more bytes; what is written stays. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + more));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
    this.view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
  }

  /** Takes the bytes that another row's fields lie in, which `starts` then describes. */
  borrow(bytes: Buffer, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
  }

  putNull(): void {
    this.reserve(4);
    this.view.setInt32(this.at, -1);
    this.at += 4;
  }

  putBytes(value: Uint8Array): void {
    this.reserve(4 + value.length);
    this.view.setInt32(this.at, value.length);
    this.bytes.set(value, this.at + 4);
    this.at += 4 + value.length;
  }

  putText(value: string): void {
    this.reserve(4 + value.length * 3);
    const length = this.bytes.write(value, this.at + 4);
    this.view.setInt32(this.at, length);
    this.at += 4 + length;
  }

  /** A field of eight bytes, as two halves. */
  putLong(high: number, low: number): void {
    this.reserve(12);
    this.view.setInt32(this.at, 8);
    this.view.setInt32(this.at + 4, high);
    this.view.setInt32(this.at + 8, low);
    this.at += 12;
  }

  putWhole(value: bigint, bytes: 2 | 4 | 8): void {
    this.reserve(12);
    this.view.setInt32(this.at, bytes);
    if (bytes === 8) this.view.setBigInt64(this.at + 4, value);
    else if (bytes === 4) this.view.setInt32(this.at + 4, Number(value));
    else this.view.setInt16(this.at + 4, Number(value));
    this.at += 4 + bytes;
  }

  putDouble(value: number): void {
    this.reserve(12);
    this.view.setInt32(this.at, 8);
    if (Number.isNaN(value)) this.view.setBigInt64(this.at + 4, 0x7ff8000000000000n);
    else this.view.setFloat64(this.at + 4, value);
    this.at += 12;
  }

  putSingle(value: number): void {
    this.reserve(8);
    this.view.setInt32(this.at, 4);
    if (Number.isNaN(value)) this.view.setInt32(this.at + 4, 0x7fc00000);
    else this.view.setFloat32(this.at + 4, value);
    this.at += 8;
  }

  putByte(value: number): void {
    this.reserve(5);
    this.view.setInt32(this.at, 1);
    this.bytes[this.at + 4] = value;
    this.at += 5;
  }
}
