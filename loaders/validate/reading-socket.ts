import { Socket } from "node:net";

const bufferBytes = 128 * 1024;

/**
 * A socket that reads into one buffer again and again. An ordinary one makes a new buffer for each read, and a table's
 * worth of those is far more memory than all of the comparison needs.
 */
export class ReadingSocket extends Socket {
  /** Whether listeners get the buffer itself, which the next read overwrites; else a copy. */
  lends = false;

  constructor() {
    super({
      onread: {
        buffer: Buffer.allocUnsafeSlow(bufferBytes),
        callback: (bytes, into) => {
          const chunk = (into as Buffer).subarray(0, bytes);
          this.emit("data", this.lends ? chunk : Buffer.from(chunk));
          return true;
        },
      },
    });
  }
}
