import { TimeliftError } from "../../loaders/timelift-error.ts";
import type { Answer } from "../../stacks/resources/command.ts";
import { measureProcess, type ProcessRun } from "./measured-process.ts";

/** The program as a user starts it. */
export const timeliftProgram = [process.execPath, "cli/main.ts"];

/**
 * Runs one request of timelift's own CLI in a process of its own, as a resource does, and measures it.
 * @throws TimeliftError with the command's own words when it fails
 */
export async function measureCommand<Result>(
  command: string,
  request: unknown,
  signal: AbortSignal,
): Promise<ProcessRun & { result: Result }> {
  const run = await measureProcess({
    command: [...timeliftProgram, command, "--request"],
    input: JSON.stringify(request),
    signal,
  });
  const answer = JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "{}") as Answer<Result>;
  if ("result" in answer) return { ...run, result: answer.result };
  throw new TimeliftError({
    code: "bench-program",
    subject: `timelift ${command}`,
    problem: "it ended without an answer",
    remedy: "report this as a bug",
  });
}
