import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Where a write-ahead log stands. */
export interface WalPosition {
  /** Salts of the log's header, hex; they change each time the log starts over. */
  salts: string;
  /** Checksum of the last committed frame, hex; it covers every frame before it. */
  checksum: string;
  frames: number;
}

const headerBytes = 32;
const frameHeaderBytes = 24;

/** Reads the frame headers of `<source>-wal`; null when there is no log or nothing committed in it. */
export function readWalPosition(sourcePath: string): WalPosition | null {
  let file: number;
  try {
    file = openSync(`${sourcePath}-wal`, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    const header = Buffer.alloc(headerBytes);
    if (readSync(file, header, 0, headerBytes, 0) < headerBytes) return null;
    if ((header.readUInt32BE(0) & 0xfffffffe) >>> 0 !== 0x377f0682) return null;
    const salts = header.subarray(16, 24);
    const frameBytes = frameHeaderBytes + header.readUInt32BE(8);
    const size = fstatSync(file).size;
    const frame = Buffer.alloc(frameHeaderBytes);
    let last: WalPosition | null = null;
    for (let at = headerBytes, frames = 1; at + frameBytes <= size; at += frameBytes, frames++) {
      readSync(file, frame, 0, frameHeaderBytes, at);
      // Frames of an earlier round bear other salts; a page count marks the end of a transaction.
      if (!frame.subarray(8, 16).equals(salts)) break;
      if (frame.readUInt32BE(4) === 0) continue;
      last = { salts: salts.toString("hex"), checksum: frame.toString("hex", 16, 24), frames };
    }
    return last;
  } finally {
    closeSync(file);
  }
}
