import { TimeliftError } from "./timelift-error.ts";

/** Rejected rows beyond what is allowed after which a load stops before its end: nobody reads that many. */
const flood = 10_000;

/** How many rows of a load may be rejected: a number of rows, or a share such as "0.1%". */
export type MaxRejects = number | string;

/** What `maxRejects` may be as a text. */
export const maxRejectsPattern = /^\d{1,15}$|^(100|\d{1,2}(\.\d+)?)%$/;

/**
 * Rows that may be rejected out of `rows`.
 * @throws TimeliftError max-rejects
 */
export function allowedRejects(maxRejects: MaxRejects, rows: number): number {
  const text = String(maxRejects);
  if (!maxRejectsPattern.test(text)) {
    throw new TimeliftError({
      code: "max-rejects",
      subject: "maxRejects",
      problem: `${JSON.stringify(maxRejects)} is neither a number of rows nor a share of them.`,
      remedy: 'Give rows, such as 100, or a share, such as "0.1%".',
    });
  }
  const amount = Number.parseFloat(text);
  return text.endsWith("%") ? Math.floor((amount / 100) * rows) : amount;
}

/** How many more rows a load may reject before it stops; below zero, it may not even begin. */
export class RejectBudget {
  left: number;

  /** @param known rows that earlier loads rejected and that stay so */
  constructor(allowed: number, known: number) {
    this.left = allowed + flood - known;
  }
}
