import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { localState, projectDir, pulumiEnvironment } from "./backend.ts";
import { clearDeadLock } from "./stack-lock.ts";

/** Runs `pulumi` in the project with the user's terminal, and more of an environment; returns its exit code. */
export async function pulumi(args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const here = inProject();
  return untilItEnds(execa("pulumi", args, { ...here, env: { ...here.env, ...env }, stdio: "inherit" }));
}

/**
 * Runs `pulumi` without a terminal's answers, hands each line it prints to `onLine`, and returns its exit code.
 */
export async function watchPulumi(args: string[], onLine: (line: string) => void): Promise<number> {
  const child = execa("pulumi", args, { ...inProject(), stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const ended = untilItEnds(child);
  for await (const line of createInterface({ input: child.stdout })) onLine(line);
  return ended;
}

const inProject = () =>
  ({ cwd: projectDir, env: pulumiEnvironment(), reject: false, cleanup: false }) as const;

/**
 * Ctrl-C reaches Pulumi through the terminal, and it ends what it began; this process waits for that. A SIGTERM to
 * this process alone is passed on as such a Ctrl-C.
 */
async function untilItEnds(
  child: PromiseLike<{ exitCode?: number; code?: string }> & { kill(signal: "SIGINT"): boolean },
): Promise<number> {
  const wait = () => undefined;
  const pass = () => child.kill("SIGINT");
  process.on("SIGINT", wait).on("SIGTERM", pass);
  const { exitCode, code } = await child;
  process.off("SIGINT", wait).off("SIGTERM", pass);
  if (code === "ENOENT") throw missing();
  return exitCode ?? 1;
}

/** Runs `pulumi` and returns what it printed; throws with its own words when it fails. */
export async function askPulumi(args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await hearPulumi(args);
  if (exitCode === 0) return stdout;
  throw failed(args, stderr || stdout);
}

function failed(args: string[], said: string): TimeliftError {
  return new TimeliftError({
    code: "pulumi",
    subject: `pulumi ${args[0]}`,
    problem: said.trim(),
    remedy: "mend what Pulumi says above, then run again",
  });
}

/** Runs `pulumi`, with more of an environment, and returns what it printed and how it ended. */
export async function hearPulumi(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const here = inProject();
  const options = { ...here, env: { ...here.env, ...env } };
  const { stdout, stderr, exitCode = 1, code } = await execa("pulumi", args, options);
  if (code === "ENOENT") throw missing();
  return { stdout, stderr, exitCode };
}

/** Makes the stack exist, and takes away the lock that a killed update left on it. */
export async function prepareStack(stack: string): Promise<void> {
  const state = localState();
  const checkpoint = state && join(state, ".pulumi", "stacks", "timelift", `${stack}.json`);
  if (!checkpoint || !existsSync(checkpoint)) {
    await createStack(stack);
  }
  if (state) await clearDeadLock(state, stack, () => askPulumi(["cancel", "--yes", "--stack", stack]));
}

async function createStack(stack: string): Promise<void> {
  try {
    await askPulumi(["stack", "select", "--create", "--stack", stack, "--non-interactive"]);
  } catch (error) {
    if (!String(error).includes("incorrect passphrase")) throw error;
    throw new TimeliftError({
      code: "stack-passphrase",
      subject: `Pulumi.${stack}.yaml`,
      problem: "its encryptionsalt belongs to another passphrase than .timelift/passphrase here",
      remedy:
        "copy .timelift/passphrase from where the stack was made; or, for a new stack, delete the lines " +
        "encryptionsalt and secure: from the file",
      cause: error,
    });
  }
}

/** Sets config keys of a stack, e.g. `{ source: "app.db" }`. */
export async function setConfig(stack: string, values: Record<string, string | undefined>): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) {
      await askPulumi(["config", "set", "--stack", stack, `timelift:${key}`, "--", value]);
    }
  }
}

/** Keeps a secret in the config of a stack; it goes by stdin, so that no list of processes tells it. */
export async function setSecret(stack: string, key: string, value: string): Promise<void> {
  const args = ["config", "set", "--stack", stack, "--secret", `timelift:${key}`];
  const { exitCode, stderr, code } = await execa("pulumi", args, { ...inProject(), input: value });
  if (code === "ENOENT") throw missing();
  if (exitCode !== 0) throw failed(args, stderr);
}

function missing(): TimeliftError {
  return new TimeliftError({
    code: "pulumi-missing",
    subject: "pulumi",
    problem: "it is not on PATH",
    remedy: "run this through ./timelift, which brings it along",
  });
}
