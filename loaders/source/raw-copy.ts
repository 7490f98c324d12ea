import { constants, statSync } from "node:fs";
import { copyFile } from "node:fs/promises";

/**
 * Copies a database file and what belongs to it (-wal, -journal) without SQLite, which neither leaves files behind
 * nor needs a writable folder. False when the file changed meanwhile: the copy is worth nothing then.
 */
export async function copyFiles(sourcePath: string, copyPath: string): Promise<boolean> {
  const before = look(sourcePath);
  await copyFile(sourcePath, copyPath, constants.COPYFILE_FICLONE);
  for (const suffix of ["-wal", "-journal"]) {
    try {
      await copyFile(sourcePath + suffix, copyPath + suffix, constants.COPYFILE_FICLONE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return look(sourcePath) === before;
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
