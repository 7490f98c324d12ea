/**
 * An error that a user can act on: what it is about, why it happened, what to do.
 * Its message is the three in one paragraph; a stack trace is shown for other errors only.
 */
export class TimeliftError extends Error {
  /** Stable name of the problem, e.g. `source-missing`; tests and callers compare this, not the text. */
  readonly code: string;
  /** What the error is about: a file, a table, a service, a config key. */
  readonly subject: string;
  /** Why it happened. */
  readonly problem: string;
  /** What the user can do. */
  readonly remedy: string;
  /** Makes Pulumi show the message alone when its program fails with it. */
  readonly __pulumiRunError = true;

  constructor(parts: { code: string; subject: string; problem: string; remedy: string; cause?: unknown }) {
    super(`${parts.subject}: ${parts.problem}\n  remedy: ${parts.remedy}`, { cause: parts.cause });
    this.name = "TimeliftError";
    this.code = parts.code;
    this.subject = parts.subject;
    this.problem = parts.problem;
    this.remedy = parts.remedy;
  }
}
