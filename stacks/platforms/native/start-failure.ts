import { TimeliftError } from "../../../loaders/timelift-error.ts";
import { refusedSandbox } from "./sandbox.ts";
import type { ServiceFolder } from "./service-folder.ts";

/** How many lines of a log an error carries. */
const lastLines = 12;

/**
 * Why a service did not start, from its log since the start.
 *
 * @param died whether it ended by itself; else it was there but gave no answer
 */
export function startFailure(
  folder: ServiceFolder,
  log: string,
  died: boolean,
  cause: unknown,
): TimeliftError {
  if (cause instanceof TimeliftError) return cause;
  const refused = refusedSandbox(log);
  if (refused !== undefined) return refused;
  const said = log.trimEnd().split("\n").slice(-lastLines).join("\n") || "(its log is empty)";
  if (isDiskFull(log) || isDiskFull(cause)) return diskFull(folder, said, cause);
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new TimeliftError({
    code: died ? "service-died" : "service-silent",
    subject: folder.name,
    problem: `${died ? "it ended while starting" : "it started but gave no answer"} (${reason}). Its log ends:\n${said}`,
    remedy: `mend what the log names and try again; the whole log: timelift logs ${folder.name}`,
    cause,
  });
}

/** Whether a log or an error speaks of a full disk, or of a user's full share of it. */
export function isDiskFull(evidence: unknown): boolean {
  const text = evidence instanceof Error ? evidence.message : String(evidence);
  return /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/.test(text);
}

export function diskFull(folder: ServiceFolder, said: string, cause: unknown): TimeliftError {
  return new TimeliftError({
    code: "disk-full",
    subject: folder.name,
    problem: `it cannot start, for the disk that holds ${folder.path} is full. It said:\n${said}`,
    remedy: "free some space and try again; data that was there is untouched.",
    cause,
  });
}
