import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { TimeliftError } from "../timelift-error.ts";
import { readFingerprint } from "./fingerprint.ts";
import { openReadOnly, openSource, type Source } from "./open-source.ts";
import { copyFiles } from "./raw-copy.ts";
import { sourceError, sourceLocked } from "./source-error.ts";
import { readSourceHeader } from "./source-header.ts";
import { type SnapshotOptions, StepPace } from "./step-pace.ts";
import { isStill, markStill, type StillMark } from "./still-source.ts";

/** One state of a source, to be read by several readers: a private copy, or the file itself while nobody writes it. */
export interface Snapshot {
  /** Open it with `openSource`. */
  path: string;
  /** Fingerprint of the source; a copy is that state or a later one. */
  fingerprint: string;
  /**
   * Set where the source is read in place: `requireStill` has to hold after what was read, before it counts.
   * Null for a copy.
   */
  mark: StillMark | null;
  /** True when a copy of the same state was there already. */
  reused: boolean;
  /** The longest time in ms that the source was locked against writers; 0 where it never was. */
  longestLockMs: number;
}

/** How often a copy without SQLite is tried while the file changes. */
const rawAttempts = 10;
const pause = new Int32Array(new SharedArrayBuffer(4));
/** A copy that a writer overtook is made again this often; then it stands under the earlier fingerprint. */
const repeats = 2;

/**
 * Makes, or finds, a private copy of a source for loader and validator to read, so that live writers are not
 * disturbed and both see one state. With `inPlace`, a source that nobody writes to is not copied at all; `requireSound`
 * is then up to who reads it. Under the rollback journal it is made in short steps, each of which locks writers
 * out for less than a second; under WAL nobody waits. The file has mode 0600 and appears complete or not at all;
 * `<copyPath>.json` beside it remembers which state it is.
 *
 * @throws TimeliftError as `openSource`; also source-locked, source-busy (writers never pause long enough)
 */
export async function openSnapshot(
  sourcePath: string,
  copyPath: string,
  options: SnapshotOptions & { inPlace?: boolean } = {},
): Promise<Snapshot> {
  const mark = options.inPlace ? markStill(sourcePath) : null;
  let fingerprint = readFingerprint(sourcePath);
  if (recordedFingerprint(copyPath) === fingerprint) {
    return { path: copyPath, fingerprint, mark: null, reused: true, longestLockMs: 0 };
  }
  if (mark !== null && isStill(mark)) {
    return { path: sourcePath, fingerprint, mark, reused: false, longestLockMs: 0 };
  }
  mkdirSync(dirname(copyPath), { recursive: true, mode: 0o700 });
  removeDeadDrafts(copyPath);
  const draft = `${copyPath}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    let longestLockMs = 0;
    for (let repeat = 0; ; repeat++) {
      longestLockMs = Math.max(longestLockMs, await copySource(sourcePath, draft, options));
      const after = readFingerprint(sourcePath);
      if (after === fingerprint || repeat === repeats) break;
      fingerprint = after;
      // The loop copies once more; the fingerprint taken before a copy is the one that holds for it.
    }
    settle(draft);
    openSource(draft, { check: true }).close();
    rmSync(recordPath(copyPath), { force: true });
    renameSync(draft, copyPath);
    record(copyPath, fingerprint);
    return { path: copyPath, fingerprint, mark: null, reused: false, longestLockMs };
  } catch (error) {
    throw renamed(sourceError(sourcePath, error), draft, sourcePath);
  } finally {
    removeDatabase(draft);
  }
}

/** Copies once and says how long, at most, writers were locked out (ms). */
async function copySource(sourcePath: string, draft: string, options: SnapshotOptions): Promise<number> {
  let unrecovered = false;
  for (let attempt = 1; ; attempt++) {
    removeDatabase(draft);
    writeFileSync(draft, "", { mode: 0o600 });
    const { wal } = readSourceHeader(sourcePath);
    if (unrecovered || (wal && !exists(`${sourcePath}-shm`))) {
      // Nobody has it open, and opening it would leave files behind or write: copy the bytes, SQLite recovers the copy.
      if (await copyFiles(sourcePath, draft)) return 0;
      if (attempt >= rawAttempts) throw neverStill(sourcePath, attempt);
      await sleep(50 * attempt);
      continue;
    }
    try {
      return await copyThroughSqlite(sourcePath, wal, draft, options);
    } catch (error) {
      // A writer died here, or its folder cannot be written.
      if (unrecovered || !needsRecovery(error)) throw error;
      unrecovered = true;
    }
  }
}

async function copyThroughSqlite(
  sourcePath: string,
  wal: boolean,
  draft: string,
  options: SnapshotOptions,
): Promise<number> {
  const source = openReadOnly(sourcePath, 0);
  try {
    if (!wal) return await copyInSteps(sourcePath, source, draft, options);
    await copyUnderWal(source, draft);
    return 0;
  } finally {
    source.close();
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
  const since = performance.now();
  for (;;) {
    // A hot journal shows at the first read, before the copy has begun.
    readPatiently(source, sourcePath, lockWaitMs);
    const pace = new StepPace(sourcePath, options);
    const { totalPages } = await source.backup(draft, { progress: (at) => pace.next(at.remainingPages) });
    if (totalPages > 0) return pace.longestMs;
    // Locked at its very first step, backup() takes "no pages known" for "no pages left".
    const waited = performance.now() - since;
    if (waited > lockWaitMs) throw sourceLocked(sourcePath, undefined, waited);
    Atomics.wait(pause, 0, 0, 5);
  }
}

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

function neverStill(path: string, attempts: number): TimeliftError {
  return new TimeliftError({
    code: "source-busy",
    subject: path,
    problem: `the file changed during each of ${attempts} attempts to copy it.`,
    remedy: "Pause the writer while timelift copies, or let timelift write to the file's folder.",
  });
}

/** Recovers what a raw copy brought along, and leaves one file that readers need no -shm for. */
function settle(draft: string): void {
  chmodSync(draft, 0o600);
  const copy = new Database(draft);
  try {
    copy.pragma("journal_mode = DELETE");
  } finally {
    copy.close();
  }
}

/** A draft bears the process id of its maker; one that was killed left it behind. */
function removeDeadDrafts(copyPath: string): void {
  const folder = dirname(copyPath);
  for (const name of readdirSync(folder)) {
    const match = name.startsWith(`${basename(copyPath)}.`) && /\.(\d+)-[0-9a-f]{8}\.tmp(-\w+)?$/.exec(name);
    if (match && !isAlive(Number(match[1]))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
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

/** Lets `work` take a file that nobody writes to for a copy of its own state, so that none has to be made. */
export async function asOwnCopy<Result>(
  path: string,
  work: (fingerprint: string) => Promise<Result>,
): Promise<Result> {
  const fingerprint = readFingerprint(path);
  record(path, fingerprint);
  try {
    return await work(fingerprint);
  } finally {
    rmSync(recordPath(path), { force: true });
  }
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
