import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { TimeliftError } from "../timelift-error.ts";

/** What the first 100 bytes of a SQLite file say, checked against the file's size. */
export interface SourceHeader {
  pageSize: number;
  pageCount: number;
  changeCounter: number;
  schemaCookie: number;
  applicationId: number;
  userVersion: number;
  /** True when the file is in WAL mode. */
  wal: boolean;
  size: number;
}

const magic = Buffer.from("SQLite format 3\0", "latin1");

/**
 * Reads and judges the header of a SQLite file, without SQLite and without a lock.
 * Do not call it while this process holds a SQLite connection to the same file: closing a file
 * drops every POSIX lock that the process holds on it.
 *
 * @throws TimeliftError source-missing, source-directory, source-unreadable, source-empty,
 * source-encrypted, source-not-sqlite, source-truncated
 */
export function readSourceHeader(path: string): SourceHeader {
  const { head, size } = readHead(path);
  if (size === 0) {
    throw new TimeliftError({
      code: "source-empty",
      subject: path,
      problem: "the file is empty (0 bytes), so it holds no table.",
      remedy: "Point the source at the database that your application writes.",
    });
  }
  if (!head.subarray(0, 16).equals(magic)) throw notSqlite(path, head, size);

  const pageSize = head.readUInt16BE(16) === 1 ? 65536 : head.readUInt16BE(16);
  const changeCounter = head.readUInt32BE(24);
  // An old writer leaves the page count stale; SQLite then trusts the file's size, and so do we.
  const counted = changeCounter === head.readUInt32BE(92) ? head.readUInt32BE(28) : 0;
  const wal = head[18] === 2;
  const header: SourceHeader = {
    pageSize,
    pageCount: counted || Math.floor(size / pageSize),
    changeCounter,
    schemaCookie: head.readUInt32BE(40),
    applicationId: head.readUInt32BE(68),
    userVersion: head.readUInt32BE(60),
    wal,
    size,
  };
  // In the middle of a checkpoint the header may be ahead of the file: the rest is still in the WAL.
  if (!wal && header.pageCount * pageSize > size) {
    throw new TimeliftError({
      code: "source-truncated",
      subject: path,
      problem: `the file is truncated: its header counts ${header.pageCount} pages of ${pageSize} bytes, but only ${size} of ${header.pageCount * pageSize} bytes are there.`,
      remedy: "Copy the database again, completely (sqlite3 app.db '.backup copy.db'), or restore a backup.",
    });
  }
  return header;
}

function readHead(path: string): { head: Buffer; size: number } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw unreadable(path, error as NodeJS.ErrnoException);
  }
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw directory(path);
    const head = Buffer.alloc(4096);
    const read = readSync(file, head, 0, head.length, 0);
    return { head: head.subarray(0, Math.max(read, 100)), size: stat.size };
  } finally {
    closeSync(file);
  }
}

function directory(path: string): TimeliftError {
  return new TimeliftError({
    code: "source-directory",
    subject: path,
    problem: "this is a directory, not a SQLite file.",
    remedy: "Name the database file inside it.",
  });
}

function unreadable(path: string, error: NodeJS.ErrnoException): TimeliftError {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") {
    return new TimeliftError({
      code: "source-missing",
      subject: path,
      problem: "no such file.",
      remedy: "Check the path; a relative path starts at the project's folder.",
      cause: error,
    });
  }
  if (error.code === "EISDIR") return directory(path);
  return new TimeliftError({
    code: "source-unreadable",
    subject: path,
    problem: `the file cannot be read (${error.code ?? error.message}).`,
    remedy: "Give the user that runs timelift permission to read it: chmod u+r, or setfacl -m u:USER:r.",
    cause: error,
  });
}

function notSqlite(path: string, head: Buffer, size: number): TimeliftError {
  // Cipher text looks random and comes in whole pages; text, JSON or a dump does not.
  if (size >= 512 && size % 512 === 0 && entropy(head) > 7) {
    return new TimeliftError({
      code: "source-encrypted",
      subject: path,
      problem: "the file has no SQLite header and looks encrypted (SQLCipher or the like).",
      remedy:
        "Export a plain copy with the tool that encrypts it (SQLCipher: sqlcipher_export) and load that.",
    });
  }
  return new TimeliftError({
    code: "source-not-sqlite",
    subject: path,
    problem: "this is not a SQLite 3 database: its header is missing.",
    remedy: "Point the source at the .db file itself, not at a dump, an archive or its -wal file.",
  });
}

/** Bits a byte; a random page of 4096 bytes has about 7.95, of 512 bytes about 7.6. */
function entropy(bytes: Buffer): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  return bits;
}
