import { TimeliftError } from "../../timelift-error.ts";

/** The error of a file whose bytes contradict SQLite's format. */
export function damaged(path: string, problem: string): TimeliftError {
  return new TimeliftError({
    code: "source-corrupt",
    subject: path,
    problem: `the private copy of the source is damaged: ${problem}`,
    remedy:
      "Delete the copy and run up again; if it stays, restore a backup of the source, or salvage what is readable: sqlite3 app.db .recover | sqlite3 mended.db",
  });
}
