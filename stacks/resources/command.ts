/** What a command that serves a Pulumi resource answers on stdout, as its last line. */
export type Answer<T> =
  | { result: T }
  | { error: { code: string; subject: string; message: string; remedy: string } };

/** A command's own error, as text; its stack would say nothing about the cause. */
class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CommandError";
    this.stack = message;
  }
}

/**
 * Runs a `timelift` command that serves requests for a resource: the request, with its passwords, goes in by stdin, which
 * stays open for as long as this process lives; progress comes back on stderr, the result on stdout.
 * @throws with the command's own words when it fails
 */
export async function runCommand<Result>(args: string[], request: unknown): Promise<Result> {
  // Read only when there is work: a preview runs no command.
  const { execa } = await import("execa");
  const child = execa(process.execPath, ["cli/main.ts", ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    reject: false,
  });
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const { stdout, exitCode, signal } = await child;
  const last = stdout.trimEnd().split("\n").at(-1);
  if (!last?.startsWith("{")) {
    throw new CommandError(
      `timelift ${args.join(" ")} ended without an answer (${signal ?? `exit ${exitCode}`})`,
    );
  }
  const answer = JSON.parse(last) as Answer<Result>;
  if ("error" in answer) throw new CommandError(answer.error.message);
  return answer.result;
}
