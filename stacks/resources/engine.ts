import { readFileSync } from "node:fs";

const lookEveryMs = 1000;
let watching = false;

/**
 * Ends this process, a provider's host, when the Pulumi engine that started it is gone. An engine that was killed
 * cannot say goodbye, and its hosts would wait for it for ever, with the commands that they started. Safe to call
 * again.
 */
export function endWithEngine(): void {
  if (watching) return;
  watching = true;
  const engine = enginePid();
  if (engine === undefined) return;
  setInterval(() => {
    try {
      process.kill(engine, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") process.exit(1);
    }
  }, lookEveryMs).unref();
}

/** The engine starts a shell script, and that this process; where /proc tells. */
function enginePid(): number | undefined {
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]);
  } catch {
    return undefined;
  }
}
