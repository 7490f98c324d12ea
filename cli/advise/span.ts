import { days, hours, type Interval, months, years } from "../../migrations/interval.ts";

export const longestSpan = years(1);
/** The spans that a chunk is advised to have, shortest first: those that people count in. */
export const chunkSpans: Interval[] = [
  hours(1),
  hours(6),
  days(1),
  days(7),
  months(1),
  months(3),
  longestSpan,
];

/** The ages at which chunks are advised to move to the columnstore, youngest first. */
export const columnstoreAges: Interval[] = [
  days(1),
  days(7),
  days(14),
  days(30),
  days(90),
  days(180),
  years(1),
];

/** TimescaleDB cuts chunks by hours: to it a month has 30 days. */
const hoursIn = { minute: 1 / 60, hour: 1, day: 24, week: 168, month: 720, year: 8640 } as const;

/** How long a chunk of that span really is, in hours. */
export function hoursOf({ amount, unit }: Interval): number {
  return amount * hoursIn[unit];
}

/** `5 hours`, `3 days`, `14 months`: a length for people, in the unit that suits it. */
export function spanText(seconds: number): string {
  const units = [
    ["second", 1],
    ["minute", 60],
    ["hour", 3600],
    ["day", 86_400],
    ["month", 30.44 * 86_400],
    ["year", 365.25 * 86_400],
  ] as const;
  const [unit, length] = units.findLast(([, each]) => seconds >= 2 * each) ?? units[0];
  const amount = Math.round(seconds / length);
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
