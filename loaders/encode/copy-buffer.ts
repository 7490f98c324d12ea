/** A growing buffer in the byte order of PostgreSQL's binary COPY. Writers reserve first, then put. */
export class CopyBuffer {
  bytes: Buffer<ArrayBuffer>;
  view: DataView;
  /** Bytes written. */
  at = 0;
  /**
   * Set when a text held U+FFFD, which also stands for bytes that are no UTF-8: whoever reads the source
   * then compares with the bytes themselves.
   */
  suspect = false;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + bytes));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  putInt16(value: number): void {
    this.view.setInt16(this.at, value);
    this.at += 2;
  }

  putInt32(value: number): void {
    this.view.setInt32(this.at, value);
    this.at += 4;
  }

  putInt64(value: bigint): void {
    this.view.setBigInt64(this.at, value);
    this.at += 8;
  }

  putFloat64(value: number): void {
    this.view.setFloat64(this.at, value);
    this.at += 8;
  }

  /** A field's length, then the field as UTF-8. */
  putText(text: string): void {
    const length = text.length;
    this.reserve(4 + length * 3);
    const start = this.at + 4;
    if (length < 48) {
      // Short ASCII text, the common case, costs less here than a call into C++.
      let at = start;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        this.bytes[at++] = code;
      }
      if (i === length) {
        this.putInt32(length);
        this.at = at;
        return;
      }
    }
    if (text.includes("\uFFFD")) this.suspect = true;
    const written = this.bytes.write(text, start);
    this.putInt32(written);
    this.at = start + written;
  }

  putBytes(bytes: Uint8Array): void {
    this.reserve(4 + bytes.length);
    this.putInt32(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
}
