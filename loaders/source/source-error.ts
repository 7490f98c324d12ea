import { TimeliftError } from "../timelift-error.ts";

/** Turns what SQLite throws about a source into an error that a user can act on; others pass unchanged. */
export function sourceError(path: string, error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof TimeliftError || typeof code !== "string" || !code.startsWith("SQLITE_")) return error;
  const of = (code: string, problem: string, remedy: string) =>
    new TimeliftError({ code, subject: path, problem, remedy, cause: error });

  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) return sourceLocked(path, error);
  if (code.startsWith("SQLITE_CORRUPT")) {
    return of(
      "source-corrupt",
      "the database is damaged: SQLite reports that its disk image is malformed.",
      "Restore a backup, or salvage what is readable: sqlite3 app.db .recover | sqlite3 mended.db",
    );
  }
  if (code.startsWith("SQLITE_NOTADB")) {
    return of(
      "source-not-sqlite",
      "SQLite does not recognise the file as a database.",
      "Point the source at the .db file itself; decrypt it first if it is encrypted.",
    );
  }
  if (code.startsWith("SQLITE_CANTOPEN") || code.startsWith("SQLITE_PERM") || code === "SQLITE_AUTH") {
    return of(
      "source-unreadable",
      `SQLite cannot open the file (${code}).`,
      "Check that the user that runs timelift may read the file and enter its folder.",
    );
  }
  if (code.startsWith("SQLITE_IOERR")) {
    return of(
      "source-unreadable",
      `reading the file failed (${code}).`,
      "Check the disk or network share it lies on; a copy on a local disk avoids lock trouble on shares.",
    );
  }
  if (code.startsWith("SQLITE_FULL")) {
    return of("source-copy-full", "no space is left for the private copy of the source.", "Free disk space.");
  }
  return of(
    "source-refused",
    `SQLite refused to read it (${code}: ${(error as Error).message}).`,
    "Check that the database opens with the sqlite3 shell and that every view in it works.",
  );
}

/** The error for a source that a writer keeps locked. */
export function sourceLocked(path: string, cause?: unknown, waitedMs?: number): TimeliftError {
  const waited = waitedMs === undefined ? "" : ` for ${Math.round(waitedMs / 1000)} s`;
  return new TimeliftError({
    code: "source-locked",
    subject: path,
    problem: `a writer kept the database locked${waited}.`,
    remedy:
      "Let its transaction finish or stop the writer and run again; in WAL mode (PRAGMA journal_mode=WAL) readers and writers do not wait for each other.",
    cause,
  });
}
