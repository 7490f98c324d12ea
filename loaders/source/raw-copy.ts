import { constants, statSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { TimeliftError } from "../timelift-error.ts";

const attempts = 10;

/**
 * Copies a database file and what belongs to it (-wal, -journal) without SQLite, which neither leaves files behind
 * nor needs a writable folder. A copy during which the file changed is thrown away and made again.
 *
 * @throws TimeliftError source-busy when the file never held still
 */
export async function copyFiles(sourcePath: string, copyPath: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = look(sourcePath);
    await copyFile(sourcePath, copyPath, constants.COPYFILE_FICLONE);
    for (const suffix of ["-wal", "-journal"]) {
      try {
        await copyFile(sourcePath + suffix, copyPath + suffix, constants.COPYFILE_FICLONE);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    if (look(sourcePath) === before) return;
    await sleep(100 * (attempt + 1));
  }
  throw new TimeliftError({
    code: "source-busy",
    subject: sourcePath,
    problem: `the file changed during each of ${attempts} attempts to copy it.`,
    remedy: "Pause the writer while timelift copies, or let timelift write to the file's folder.",
  });
}

/** Sizes and times to the nanosecond: whatever is written moves one of them. */
function look(path: string): string {
  return ["", "-wal", "-journal"]
    .map((suffix) => {
      const stat = statSync(path + suffix, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? "-" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    })
    .join("; ");
}
