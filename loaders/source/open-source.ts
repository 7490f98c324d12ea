import Database from "better-sqlite3";
import { TimeliftError } from "../timelift-error.ts";
import { sourceError } from "./source-error.ts";
import { readSourceHeader } from "./source-header.ts";

/** An open source: read-only, integers as bigint. The caller closes it. */
export type Source = Database.Database;

/** Files up to this size get SQLite's own page check when they are opened with `check`. */
const quickCheckBytes = 32 * 1024 * 1024;

/**
 * Opens a SQLite file read-only. Integers arrive as bigint, so that those beyond 2^53 stay exact and
 * 1 and 1.0 stay different. Nothing is written; in WAL mode SQLite itself may leave -shm and -wal files, which is
 * why the engine reads a private copy (`openSnapshot`) and opens that.
 *
 * @param options.waitMs how long to wait for a writer's lock; default 5000 ms
 * @param options.check also run SQLite's page check on files up to 32 MB; default false
 * @throws TimeliftError, see `readSourceHeader`; also source-empty (no table), source-corrupt, source-locked
 */
export function openSource(path: string, options: { waitMs?: number; check?: boolean } = {}): Source {
  const header = readSourceHeader(path);
  const source = openReadOnly(path, options.waitMs ?? 5000);
  try {
    if (options.check && header.size <= quickCheckBytes) quickCheck(path, source);
    requireTables(path, source);
    return source;
  } catch (error) {
    source.close();
    throw sourceError(path, error);
  }
}

/**
 * Runs SQLite's own page check on a file up to 32 MB.
 * @throws TimeliftError source-corrupt
 */
export function requireSound(path: string): void {
  openSource(path, { check: true }).close();
}

/** Opens without judging the header or the content; for the snapshot, which judged them already. */
export function openReadOnly(path: string, waitMs: number): Source {
  try {
    const source = new Database(path, { readonly: true, fileMustExist: true, timeout: waitMs });
    source.defaultSafeIntegers(true);
    return source;
  } catch (error) {
    throw sourceError(path, error);
  }
}

function requireTables(path: string, source: Source): void {
  const found = source
    .prepare(
      "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT 1",
    )
    .get();
  if (found === undefined) {
    throw new TimeliftError({
      code: "source-empty",
      subject: path,
      problem: "the database holds no table.",
      remedy:
        "Point the source at the database that your application writes; it may have been created by accident.",
    });
  }
}

function quickCheck(path: string, source: Source): void {
  const findings = source.prepare("PRAGMA quick_check(1)").pluck().all() as string[];
  if (findings[0] !== "ok") {
    throw new TimeliftError({
      code: "source-corrupt",
      subject: path,
      problem: `the database is damaged: ${findings[0]}`,
      remedy: "Restore a backup, or salvage what is readable: sqlite3 app.db .recover | sqlite3 mended.db",
    });
  }
}
