import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { localState, projectDir, pulumiEnvironment } from "./backend.ts";
import { clearDeadLock } from "./stack-lock.ts";

/** Runs `pulumi` in the project with the user's terminal; returns its exit code. */
export async function pulumi(args: string[]): Promise<number> {
  const { exitCode, failed, code } = await execa("pulumi", args, {
    cwd: projectDir,
    env: pulumiEnvironment(),
    stdio: "inherit",
    reject: false,
    // Pulumi itself ends what it began when Ctrl-C reaches it; ending it from here as well would be a second one.
    cleanup: false,
  });
  if (failed && code === "ENOENT") throw missing();
  return exitCode ?? 1;
}

/** Runs `pulumi` and returns what it printed; throws with its own words when it fails. */
export async function askPulumi(args: string[]): Promise<string> {
  const { stdout, stderr, exitCode, code } = await execa("pulumi", args, {
    cwd: projectDir,
    env: pulumiEnvironment(),
    reject: false,
  });
  if (code === "ENOENT") throw missing();
  if (exitCode === 0) return stdout;
  throw new TimeliftError({
    code: "pulumi",
    subject: `pulumi ${args[0]}`,
    problem: (stderr || stdout).trim(),
    remedy: "mend what Pulumi says above, then run again",
  });
}

/** Makes the stack exist, and takes away the lock that a killed update left on it. */
export async function prepareStack(stack: string): Promise<void> {
  const state = localState();
  const checkpoint = state && join(state, ".pulumi", "stacks", "timelift", `${stack}.json`);
  if (!checkpoint || !existsSync(checkpoint)) {
    await askPulumi(["stack", "select", "--create", "--stack", stack, "--non-interactive"]);
  }
  if (state) await clearDeadLock(state, stack, () => askPulumi(["cancel", "--yes", "--stack", stack]));
}

/** Sets config keys of a stack, e.g. `{ source: "app.db" }`. */
export async function setConfig(stack: string, values: Record<string, string | undefined>): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) {
      await askPulumi(["config", "set", "--stack", stack, `timelift:${key}`, "--", value]);
    }
  }
}

function missing(): TimeliftError {
  return new TimeliftError({
    code: "pulumi-missing",
    subject: "pulumi",
    problem: "it is not on PATH",
    remedy: "run this through ./timelift, which brings it along",
  });
}
