import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

interface Lock {
  pid: number;
  hostname: string;
  timestamp: string;
}

/**
 * Clears the lock of an update that was killed: its process ran on this machine and is gone. A lock of a living
 * process, or of another machine, stays, and Pulumi says whose it is.
 */
export async function clearDeadLock(
  state: string,
  stack: string,
  cancel: () => Promise<unknown>,
): Promise<void> {
  const locks = locksOf(state, stack);
  if (locks.length === 0 || !locks.every(isDead)) return;
  for (const { pid, timestamp } of locks) {
    console.error(
      `An update of stack ${stack} (process ${pid}, ${timestamp}) was killed; its lock is cleared.`,
    );
  }
  await cancel();
}

/** Whether an update holds the stack. */
export const isLocked = (state: string, stack: string) => locksOf(state, stack).length > 0;

function locksOf(state: string, stack: string): Lock[] {
  const dir = join(state, ".pulumi", "locks", "organization", "timelift", stack);
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir).filter((file) => file.endsWith(".json"));
  return files.map((file) => JSON.parse(readFileSync(join(dir, file), "utf8")) as Lock);
}

function isDead(lock: Lock): boolean {
  if (lock.hostname !== hostname()) return false;
  try {
    process.kill(lock.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
