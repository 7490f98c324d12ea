import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { readSourceHeader, type SourceHeader } from "./source-header.ts";
import { readWalPosition } from "./wal.ts";

/** Files up to this size are hashed whole; of larger ones, this many pages. */
const wholeBytes = 32 * 1024 * 1024;
const sampledPages = 512;

/**
 * Names the state of a source: application id, schema version, page count, header change counter, and under WAL the
 * log's salts and the checksum of its last committed frame. It depends neither on the file's path nor on its times,
 * and takes no lock. Two different fingerprints may still mean equal rows.
 *
 * The change counter alone cannot tell two files apart that were built alike, so the content goes in too: all of it up
 * to 32 MB, 512 pages of a larger file. In WAL mode the counter stands still, so a file whose log is empty or gone is
 * always hashed whole (about 1 GB/s). Do not call it while this process holds a SQLite connection to the file
 * (`readSourceHeader`).
 *
 * @throws TimeliftError as `readSourceHeader`
 */
export function readFingerprint(path: string): string {
  const header = readSourceHeader(path);
  const wal = header.wal ? readWalPosition(path) : null;
  const whole = header.wal || header.size <= wholeBytes;
  const content =
    wal !== null ? `${wal.salts} ${wal.checksum}` : hashContent(path, header, whole ? null : sampledPages);
  const parts = [
    header.applicationId,
    header.userVersion,
    header.schemaCookie,
    header.pageSize,
    header.pageCount,
    header.changeCounter,
    content,
  ];
  return createHash("sha256").update(parts.join(" ")).digest("hex").slice(0, 32);
}

/** @param pages how many pages, evenly spread, with the first; null for all */
function hashContent(path: string, header: SourceHeader, pages: number | null): string {
  const file = openSync(path, "r");
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(pages === null ? 1 << 20 : header.pageSize);
    const count = pages ?? Math.ceil(header.size / chunk.length);
    for (let i = 0; i < count; i++) {
      const at =
        pages === null ? i * chunk.length : Math.floor((i * header.pageCount) / pages) * header.pageSize;
      hash.update(chunk.subarray(0, readSync(file, chunk, 0, chunk.length, at)));
    }
    return hash.digest("hex");
  } finally {
    closeSync(file);
  }
}
