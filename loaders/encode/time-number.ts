import type { Reading } from "../define-loader.ts";
import { plainNumber } from "./encode-number.ts";
import { type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

/** What a column of time has to know of itself: how its numbers are read, and its names for the remedy. */
export interface TimeColumn {
  /** Null for a derived column. */
  source: string | null;
  target: string;
  reading: Reading | null;
}

const microsPerUnit = { s: 1_000_000n, ms: 1000n, us: 1n } as const;

/**
 * Returns a function that turns a number, or a text that is one, into microseconds since 1970; null for anything else,
 * such as an ISO text. Integers are exact; a real is rounded to the nearest microsecond (epoch) or millisecond (Julian
 * day).
 */
export function numberReader(reading: Reading, type: string): (value: SourceValue) => bigint | null {
  const toMicros =
    reading.kind === "julianDay"
      ? (number: bigint | number) => rounded((Number(number) - 2440587.5) * 86_400_000) * microsPerUnit.ms
      : (number: bigint | number) => {
          const unit = microsPerUnit[reading.unit];
          return typeof number === "bigint" ? number * unit : rounded(number * Number(unit));
        };
  return (value) => {
    const number = typeof value === "string" ? plainNumber(value) : value;
    if (typeof number === "bigint") return toMicros(number);
    if (typeof number !== "number") return null;
    if (!Number.isFinite(number)) throw wrongClass(value, type);
    // Far beyond what PostgreSQL can keep, and then maybe beyond what a bigint can be made of.
    if (Math.abs(number) > 1e19) throw new ValueProblem(value, `is outside the range of ${type}`);
    return toMicros(number);
  };
}

function rounded(number: number): bigint {
  return BigInt(Math.round(number));
}

/** What a number most probably counts, judged by its size alone; that is no proof, so the user has to say so. */
const likely: { from: number; to: number; words: string; rule: string }[] = [
  { from: 1_721_426, to: 5_373_485, words: "a Julian day number", rule: "julianDay" },
  { from: 1e8, to: 1e10, words: "seconds since 1970", rule: 'epoch("s")' },
  { from: 1e11, to: 1e13, words: "milliseconds since 1970", rule: 'epoch("ms")' },
  { from: 1e14, to: 1e16, words: "microseconds since 1970", rule: 'epoch("us")' },
];

/** The problem of a number in a column of time whose reading nobody declared. */
export function unitless(value: SourceValue, column: TimeColumn): ValueProblem {
  const size = Math.abs(Number(value));
  const guess = likely.find(({ from, to }) => size >= from && size < to);
  const if_ = guess === undefined ? "" : `if it is ${guess.words}, `;
  const rule = guess?.rule ?? 'epoch("s" | "ms" | "us") or julianDay';
  return new ValueProblem(
    value,
    `does not say its unit; ${if_}declare ${declaration(column, rule)} (it is never guessed: another unit gives a year beyond the plausible)`,
  );
}

/** Where the loader says how the column's numbers are read. */
function declaration({ source, target }: TimeColumn, rule: string): string {
  const key = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
  if (source === null) return `derive: { ${key(target)}: …(…, { read: ${rule} }) }`;
  const to = target === source ? "" : `to: ${JSON.stringify(target)}, `;
  return `columns: { ${key(source)}: { ${to}read: ${rule} } }`;
}
