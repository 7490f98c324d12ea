import { watchPulumi } from "./pulumi.ts";

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
  const steps = new Map<string, string>();
  const args = ["up", "--stack", stack, "--yes", "--skip-preview", "--suppress-outputs"];
  const exitCode = await watchPulumi(args, (line) => {
    if (line.startsWith("@ ")) return;
    console.log(line);
    const [, type = "", name = "", , seconds = ""] = done.exec(line) ?? [];
    if (name) steps.set(name, `${`${type} ${name}`.padEnd(26)} ${seconds} s`);
  });
  return { ok: exitCode === 0, changed: steps.size > 0, steps: [...steps.values()] };
}
