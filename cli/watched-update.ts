import { createInterface } from "node:readline";
import { execa } from "execa";
import { projectDir, pulumiEnvironment } from "./backend.ts";

/** What an update that was watched did. */
export interface WatchedUpdate {
  ok: boolean;
  /** Whether any resource was created, updated, replaced or deleted. */
  changed: boolean;
  /** A line a resource that took time. */
  steps: string[];
}

const done = /timelift:(\w+) (\S+) (created|updated|replaced|deleted) \(([\d.]+)s\)/;

/** Runs `pulumi up` without questions, passes its output on, and remembers how long each resource took. */
export async function deployWatched(stack: string): Promise<WatchedUpdate> {
  const child = execa("pulumi", ["up", "--stack", stack, "--yes", "--skip-preview", "--suppress-outputs"], {
    cwd: projectDir,
    env: pulumiEnvironment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    reject: false,
    cleanup: false,
  });
  const steps = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("@ ")) continue;
    console.log(line);
    const [, type = "", name = "", , seconds = ""] = done.exec(line) ?? [];
    if (name) steps.set(name, `${`${type} ${name}`.padEnd(26)} ${seconds} s`);
  }
  const { exitCode } = await child;
  return { ok: exitCode === 0, changed: steps.size > 0, steps: [...steps.values()] };
}
