/** Buffers on their way to the writer and back: the same few serve for a whole load. */
export class OutgoingBytes {
  /** Bytes of one. */
  static readonly size = 512 * 1024;
  /** A socket takes as many at once and says when they are gone; Node queues less, so that a buffer stays in use. */
  static readonly least = 128 * 1024;
  #free: ArrayBuffer[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(OutgoingBytes.size));
  }

  /** Takes a buffer back that nobody reads any more; one of another size is left to the garbage collector. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === OutgoingBytes.size) this.#free.push(buffer);
  }
}
