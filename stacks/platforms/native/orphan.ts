import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { endProcess, identify } from "./process.ts";

/**
 * Ends what a server that was killed has left behind: its backends notice its death only when they next pause,
 * and until then PostgreSQL refuses to start on the same data. They are known by their working folder, which is
 * the data folder, whatever path they see it at.
 */
export async function endOrphans(dataFolder: string): Promise<void> {
  if (!existsSync(dataFolder)) return;
  const { ino, dev } = statSync(dataFolder);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!worksIn(pid, ino, dev)) continue;
    const process = identify(Number(pid));
    if (process !== undefined) await endProcess(process, "SIGTERM", 5);
  }
}

function worksIn(pid: string, ino: number, dev: number): boolean {
  try {
    const isPostgres = readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "postgres";
    const folder = isPostgres ? statSync(`/proc/${pid}/cwd`) : undefined;
    return folder?.ino === ino && folder.dev === dev;
  } catch {
    // The process ended meanwhile, or is another user's.
    return false;
  }
}
