/** A span of time with its unit, as PostgreSQL's interval reads it. */
export interface Interval {
  readonly amount: number;
  readonly unit: "hour" | "day" | "month" | "year";
}

const interval =
  (unit: Interval["unit"]) =>
  (amount: number): Interval => {
    if (!Number.isInteger(amount) || amount < 1) {
      throw new RangeError(`an interval counts whole ${unit}s, at least one; ${amount} is not such a number`);
    }
    return { amount, unit };
  };

export const hours = interval("hour");
export const days = interval("day");
export const months = interval("month");
export const years = interval("year");

/** `1 month`, `7 days`. */
export function intervalText({ amount, unit }: Interval): string {
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}

/** `INTERVAL '1 month'`. */
export function intervalSql(interval: Interval): string {
  return `INTERVAL '${intervalText(interval)}'`;
}
