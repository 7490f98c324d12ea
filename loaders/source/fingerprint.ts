import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { readSourceHeader } from "./source-header.ts";
import { readWalPosition } from "./wal.ts";

/**
 * Names the state of a source: application id, schema version, page count, header change counter, and under WAL the
 * log's salts and the checksum of its last committed frame. Two equal fingerprints mean equal rows; two different
 * ones may still. It depends neither on the file's path nor on its times, and takes no lock.
 *
 * In WAL mode the change counter stands still, so a file whose log is empty or gone is read whole and hashed
 * (about 1 GB/s). Do not call it while this process holds a SQLite connection to the file (`readSourceHeader`).
 *
 * @throws TimeliftError as `readSourceHeader`
 */
export function readFingerprint(path: string): string {
  const header = readSourceHeader(path);
  const parts: (string | number)[] = [
    header.applicationId,
    header.userVersion,
    header.schemaCookie,
    header.pageSize,
    header.pageCount,
    header.changeCounter,
  ];
  if (header.wal) {
    const wal = readWalPosition(path);
    parts.push(wal === null ? hashFile(path) : `${wal.salts} ${wal.checksum}`);
  }
  return createHash("sha256").update(parts.join(" ")).digest("hex").slice(0, 32);
}

function hashFile(path: string): string {
  const file = openSync(path, "r");
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(1 << 20);
    for (;;) {
      const read = readSync(file, chunk, 0, chunk.length, null);
      if (read === 0) return hash.digest("hex");
      hash.update(read === chunk.length ? chunk : chunk.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}
