import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { TimeliftError } from "../timelift-error.ts";
import { readFingerprint } from "./fingerprint.ts";
import { openReadOnly, openSource, type Source } from "./open-source.ts";
import { copyFiles } from "./raw-copy.ts";
import { sourceError, sourceLocked } from "./source-error.ts";
import { readSourceHeader } from "./source-header.ts";

/** A private copy of a source, complete and at rest. */
export interface Snapshot {
  /** The copy: a SQLite file that nobody writes. Open it with `openSource`. */
  path: string;
  /** Fingerprint of the source; the copy is that state or a later one. */
  fingerprint: string;
  /** True when a copy of the same state was there already. */
  reused: boolean;
  /** The longest time in ms that the source was locked against writers; 0 where it never was. */
  longestLockMs: number;
}

/** Bounds of a copy. */
export interface SnapshotOptions {
  /**
   * How long to wait, in ms, while a writer keeps the source locked.
   * @default 10000
   */
  lockWaitMs?: number;
  /**
   * How often a copy may start over because a writer wrote (rollback journal only).
   * @default 30
   */
  restarts?: number;
}

/** Longest time in ms that one step of a copy may lock a writer out. */
const stepMs = 400;
/** A copy that a writer overtook is made again this often; then it stands under the earlier fingerprint. */
const repeats = 2;

/**
 * Makes, or finds, a private copy of a source for loader and validator to read, so that live writers are not
 * disturbed and both see one state. Under the rollback journal it is made in short steps, each of which locks writers
 * out for less than a second; under WAL nobody waits. The file has mode 0600 and appears complete or not at all;
 * `<copyPath>.json` beside it remembers which state it is.
 *
 * @throws TimeliftError as `openSource`; also source-locked, source-busy (writers never pause long enough)
 */
export async function openSnapshot(
  sourcePath: string,
  copyPath: string,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  let fingerprint = readFingerprint(sourcePath);
  if (recordedFingerprint(copyPath) === fingerprint) {
    return { path: copyPath, fingerprint, reused: true, longestLockMs: 0 };
  }
  mkdirSync(dirname(copyPath), { recursive: true, mode: 0o700 });
  const draft = `${copyPath}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    let longestLockMs = 0;
    for (let repeat = 0; ; repeat++) {
      longestLockMs = Math.max(longestLockMs, await copySource(sourcePath, draft, options));
      const after = readFingerprint(sourcePath);
      if (after === fingerprint || repeat === repeats) break;
      fingerprint = after;
      removeDatabase(draft);
      // The loop copies once more; the fingerprint taken before a copy is the one that holds for it.
    }
    settle(draft);
    openSource(draft, { check: true }).close();
    rmSync(recordPath(copyPath), { force: true });
    renameSync(draft, copyPath);
    record(copyPath, fingerprint);
    return { path: copyPath, fingerprint, reused: false, longestLockMs };
  } catch (error) {
    throw renamed(sourceError(sourcePath, error), draft, sourcePath);
  } finally {
    removeDatabase(draft);
  }
}

/** Copies once and says how long, at most, writers were locked out (ms). */
async function copySource(sourcePath: string, draft: string, options: SnapshotOptions): Promise<number> {
  const { wal } = readSourceHeader(sourcePath);
  writeFileSync(draft, "", { mode: 0o600 });
  if (wal && !exists(`${sourcePath}-shm`)) {
    // Nobody has it open, and opening it would leave files behind: copy the bytes, SQLite recovers the copy.
    await copyFiles(sourcePath, draft);
    return 0;
  }
  try {
    const source = openReadOnly(sourcePath, 0);
    try {
      if (!wal) return await copyInSteps(sourcePath, source, draft, options);
      await copyUnderWal(source, draft);
      return 0;
    } finally {
      source.close();
    }
  } catch (error) {
    if (!needsRecovery(error)) throw error;
    // A writer died here; recovering is writing, so it is done to the copy.
    removeDatabase(draft);
    await copyFiles(sourcePath, draft);
    return 0;
  }
}

function needsRecovery(error: unknown): boolean {
  const cause = error instanceof TimeliftError ? error.cause : error;
  const code = (cause as { code?: string } | null)?.code ?? "";
  return code.startsWith("SQLITE_READONLY") || code.startsWith("SQLITE_CANTOPEN");
}

/** One read transaction holds the state; writers append to the log meanwhile. */
async function copyUnderWal(source: Source, draft: string): Promise<void> {
  source.exec("BEGIN");
  source.prepare("SELECT count(*) FROM sqlite_schema").get();
  await source.backup(draft, { progress: () => 4096 });
}

/** `backup()` starts over when a writer wrote; each round takes longer steps, up to `stepMs`. */
async function copyInSteps(
  sourcePath: string,
  source: Source,
  draft: string,
  options: SnapshotOptions,
): Promise<number> {
  const lockWaitMs = options.lockWaitMs ?? 10_000;
  const allowed = options.restarts ?? 30;
  // A hot journal shows at the first read, before the copy has begun.
  readPatiently(source, sourcePath, lockWaitMs);
  let pages = 500;
  let msPerPage = 0.01;
  let budgetMs = 50;
  let remaining = Number.POSITIVE_INFINITY;
  let restarts = 0;
  let longest = 0;
  let stuckSince = performance.now();
  let stepStart = performance.now();
  await source.backup(draft, {
    progress: (progress) => {
      const now = performance.now();
      const took = now - stepStart;
      if (progress.remainingPages < remaining) {
        longest = Math.max(longest, took);
        stuckSince = now;
        if (took > 1) msPerPage = took / pages;
        if (took < budgetMs / 2) pages = Math.min(pages * 2, 1 << 20);
        else if (took > budgetMs) pages = Math.max(50, Math.floor(pages / 2));
      } else if (progress.remainingPages === remaining) {
        if (now - stuckSince > lockWaitMs) throw sourceLocked(sourcePath, undefined, now - stuckSince);
        // Locked, or overtaken once a step: wait a little, and take a longer step next.
        Atomics.wait(pause, 0, 0, 5);
        pages = Math.max(1, Math.min(pages * 2, Math.floor(stepMs / msPerPage)));
      } else {
        restarts += 1;
        budgetMs = Math.min(stepMs, budgetMs * 1.5);
        if (restarts > allowed) throw neverQuiet(sourcePath, restarts);
      }
      remaining = progress.remainingPages;
      stepStart = performance.now();
      return pages;
    },
  });
  return longest;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function readPatiently(source: Source, path: string, lockWaitMs: number): void {
  const start = performance.now();
  for (;;) {
    try {
      source.prepare("SELECT count(*) FROM sqlite_schema").get();
      return;
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      const waited = performance.now() - start;
      if (!code.startsWith("SQLITE_BUSY")) throw error;
      if (waited > lockWaitMs) throw sourceLocked(path, error, waited);
      Atomics.wait(pause, 0, 0, 20);
    }
  }
}

function neverQuiet(path: string, restarts: number): TimeliftError {
  return new TimeliftError({
    code: "source-busy",
    subject: path,
    problem: `a writer writes more often than the file can be copied: the copy started over ${restarts} times. Under the rollback journal a copy has to be made between two writes.`,
    remedy: "Switch the source to WAL (PRAGMA journal_mode=WAL), or pause the writer while timelift copies.",
  });
}

/** Recovers what a raw copy brought along, and leaves one file that readers need no -shm for. */
function settle(draft: string): void {
  const copy = new Database(draft);
  try {
    copy.pragma("journal_mode = DELETE");
  } finally {
    copy.close();
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}

function recordPath(copyPath: string): string {
  return `${copyPath}.json`;
}

/** The inode ties the record to this very copy, should two processes make one at the same time. */
function record(copyPath: string, fingerprint: string): void {
  const { ino, size } = statSync(copyPath);
  const draft = `${recordPath(copyPath)}.${process.pid}.tmp`;
  writeFileSync(draft, JSON.stringify({ fingerprint, ino, size }), { mode: 0o600 });
  renameSync(draft, recordPath(copyPath));
}

/** Which state of its source a copy is; undefined where that is not known. */
export function recordedFingerprint(copyPath: string): string | undefined {
  try {
    const { ino, size } = statSync(copyPath);
    const recorded = JSON.parse(readFileSync(recordPath(copyPath), "utf8"));
    return recorded.ino === ino && recorded.size === size ? recorded.fingerprint : undefined;
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** What was found in the copy is true of the source; the user knows only the source. */
function renamed(error: unknown, draft: string, sourcePath: string): unknown {
  if (!(error instanceof TimeliftError) || error.subject !== draft) return error;
  return new TimeliftError({
    code: error.code,
    subject: sourcePath,
    problem: error.message.slice(draft.length + 2).split("\n  remedy: ")[0] ?? "",
    remedy: error.remedy,
    cause: error.cause,
  });
}
