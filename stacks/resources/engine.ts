import { identify, isAlive, parentOf } from "../platforms/native/process.ts";

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
  // The engine starts a shell script, and that this process.
  const pid = parentOf(process.ppid);
  const engine = pid === undefined ? undefined : identify(pid);
  if (engine === undefined) return;
  setInterval(() => {
    if (!isAlive(engine)) process.exit(1);
  }, lookEveryMs).unref();
}
