import { createInterface } from "node:readline";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { Answer } from "../stacks/resources/command.ts";

/**
 * Serves one request of a Pulumi resource: one JSON line in on stdin, one JSON line out on stdout.
 * Passwords travel here and nowhere else. When stdin ends the caller is gone (killed, say), and `signal`
 * stops the work; so does Ctrl-C. The exit code is 1 when the answer is an error.
 */
export async function serveRequest<Request, Result>(
  work: (request: Request, signal: AbortSignal) => Promise<Result>,
): Promise<void> {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => abort.abort(new Error(`stopped by ${signal}`)));
  }
  const lines = createInterface({ input: process.stdin });
  const first = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error("stdin ended before a request came")));
  });
  lines.once("close", () => abort.abort(new Error("the caller is gone")));
  let answer: Answer<Result>;
  try {
    answer = { result: await work(JSON.parse(await first) as Request, abort.signal) };
  } catch (error) {
    answer = { error: describe(error) };
    process.exitCode = 1;
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  lines.close();
  process.stdin.destroy();
}

function describe(error: unknown) {
  if (error instanceof TimeliftError) {
    const { code, subject, message, remedy } = error;
    return { code, subject, message, remedy };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: "unexpected",
    subject: "timelift",
    message,
    remedy: "report this as a bug, with the text above",
  };
}
