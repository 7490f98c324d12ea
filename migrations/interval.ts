import { TimeliftError } from "../loaders/timelift-error.ts";

const units = ["minute", "hour", "day", "week", "month", "year"] as const;

/** A span of time with its unit, as PostgreSQL's interval reads it. */
export interface Interval {
  readonly amount: number;
  readonly unit: (typeof units)[number];
}

const interval =
  (unit: Interval["unit"]) =>
  (amount: number): Interval => {
    if (!Number.isInteger(amount) || amount < 1) {
      throw new RangeError(`an interval counts whole ${unit}s, at least one; ${amount} is not such a number`);
    }
    return { amount, unit };
  };

export const minutes = interval("minute");
export const hours = interval("hour");
export const days = interval("day");
export const weeks = interval("week");
export const months = interval("month");
export const years = interval("year");

/** `1 month`, `7 days`. */
export function intervalText({ amount, unit }: Interval): string {
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}

/** `every hour`, `every 30 minutes`. */
export function everyText(interval: Interval): string {
  return `every ${interval.amount === 1 ? interval.unit : intervalText(interval)}`;
}

/** `INTERVAL '1 month'`. */
export function intervalSql(interval: Interval): string {
  return `INTERVAL '${intervalText(interval)}'`;
}

/** A whole number and a unit, `90 days`, as a config writes it. */
export const intervalPattern = new RegExp(`^([1-9]\\d{0,5}) (${units.join("|")})s?$`);

/**
 * Reads `90 days`.
 * @param subject where it stands, for the error
 * @throws TimeliftError interval
 */
export function parseInterval(text: string, subject: string): Interval {
  const [, amount, unit] = intervalPattern.exec(text) ?? [];
  if (amount !== undefined) return { amount: Number(amount), unit: unit as Interval["unit"] };
  throw new TimeliftError({
    code: "interval",
    subject,
    problem: `"${text}" is no span of time`,
    remedy: `write a whole number and one of ${units.map((each) => `${each}s`).join(", ")}, such as "90 days"`,
  });
}
