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
    name: `timelift ${command}`,
    command: [...timeliftProgram, command, "--request"],
    input: JSON.stringify(request),
    reason: (stdout) => {
      const answer = answerIn<Result>(stdout);
      return answer && "error" in answer ? answer.error.message : undefined;
    },
    signal,
  });
  const answer = answerIn<Result>(run.stdout);
  if (answer && "result" in answer) return { ...run, result: answer.result };
  throw new TimeliftError({
    code: "bench-program",
    subject: `timelift ${command}`,
    problem: "it ended without an answer",
    remedy: "report this as a bug",
  });
}

function answerIn<Result>(stdout: string): Answer<Result> | undefined {
  const last = stdout.trimEnd().split("\n").at(-1);
  return last?.startsWith("{") ? (JSON.parse(last) as Answer<Result>) : undefined;
}
