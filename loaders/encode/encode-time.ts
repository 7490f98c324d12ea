import type { CopyBuffer } from "./copy-buffer.ts";
import { describeValue, type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

/** Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from. */
const epochDays = 10957;
const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?(?:([zZ])|([+-])(\d\d)(?::?(\d\d))?))?)?$/;

const zone = /:.*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$/;

interface Instant {
  /** Days since 2000-01-01. */
  days: number;
  /** Seconds of the day, after the offset is taken off: may lie outside 0..86399. */
  seconds: number;
  micros: number;
}

/** ISO dates; a timestamp only when it is midnight exactly and names no zone, which could make it another day. */
export function encodeDate(value: SourceValue, out: CopyBuffer): void {
  const instant = parse(value, "date", 6);
  if (typeof value === "string" && zone.test(value)) {
    throw new ValueProblem(value, `${describeValue(value)} names a zone, and a date has none`);
  }
  if (instant.seconds !== 0 || instant.micros !== 0) {
    throw new ValueProblem(value, `${describeValue(value)} has a time of day, and a date has none`);
  }
  out.reserve(8);
  out.putInt32(4);
  out.putInt32(instant.days);
}

/**
 * ISO timestamps with a space or T, a fraction of at most `digits` decimals, Z or an offset. Without an offset the
 * text is UTC; a date alone is midnight UTC. In a timestamp without time zone an offset is turned into UTC.
 */
export function encodeTimestamp(kind: "timestamp" | "timestamptz", digits: number) {
  // Rows written together bear the same text: the last one is remembered.
  let lastText = "";
  let lastHigh = 0;
  let lastLow = 0;
  return (value: SourceValue, out: CopyBuffer): void => {
    if (value !== lastText || lastText === "") {
      const { days, seconds, micros } = parsePlain(value) ?? parse(value, kind, digits);
      const total = days * 86400 + seconds;
      if (Math.abs(total) < 9e9) {
        const exact = total * 1e6 + micros;
        lastHigh = Math.floor(exact / 2 ** 32);
        lastLow = exact - lastHigh * 2 ** 32;
      } else {
        const exact = BigInt(total) * 1_000_000n + BigInt(micros);
        lastHigh = Number(exact >> 32n);
        lastLow = Number(exact & 0xffffffffn);
      }
      lastText = value as string;
    }
    out.reserve(12);
    out.putInt32(8);
    out.putInt32(lastHigh);
    out.putInt32(lastLow | 0);
  };
}

/** The two commonest forms, "2024-01-31" and "2024-01-31 10:00:00", without a regular expression; else null. */
function parsePlain(value: SourceValue): Instant | null {
  if (typeof value !== "string" || (value.length !== 10 && value.length !== 19)) return null;
  if (value.charCodeAt(4) !== 45 || value.charCodeAt(7) !== 45) return null;
  const year = digitsAt(value, 0) * 100 + digitsAt(value, 2);
  const month = digitsAt(value, 5);
  const day = digitsAt(value, 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return null;
  let seconds = 0;
  if (value.length === 19) {
    const gap = value.charCodeAt(10);
    if ((gap !== 32 && gap !== 84) || value.charCodeAt(13) !== 58 || value.charCodeAt(16) !== 58) return null;
    const hour = digitsAt(value, 11);
    const minute = digitsAt(value, 14);
    const second = digitsAt(value, 17);
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return null;
    seconds = hour * 3600 + minute * 60 + second;
  }
  return { days: daysSince1970(year, month, day) - epochDays, seconds, micros: 0 };
}

/** Two decimal digits, NaN for anything else. */
function digitsAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function parse(value: SourceValue, type: string, digits: number): Instant {
  if (typeof value === "bigint" || typeof value === "number") {
    throw new ValueProblem(
      value,
      `${describeValue(value)} is no ${type}: a number does not say its unit or zone`,
    );
  }
  const match = typeof value === "string" ? iso.exec(value) : null;
  if (match === null) throw wrongClass(value, type);
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4] ?? 0), Number(match[5] ?? 0), Number(match[6] ?? 0)];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month))
    throw wrongClass(value, type);
  if (hour > 23 || minute > 59 || second > 59) throw wrongClass(value, type);
  const fraction = match[7] ?? "";
  if (fraction.length > digits && /[1-9]/.test(fraction.slice(digits))) {
    throw new ValueProblem(value, `${describeValue(value)} has more than ${digits} decimals of a second`);
  }
  const offset = Number(match[10] ?? 0) * 3600 + Number(match[11] ?? 0) * 60;
  if (offset > 15 * 3600 + 59 * 60 || Number(match[11] ?? 0) > 59) throw wrongClass(value, type);
  return {
    days: daysSince1970(year, month, day) - epochDays,
    seconds: hour * 3600 + minute * 60 + second + (match[9] === "-" ? offset : -offset),
    micros: Number(fraction.slice(0, 6).padEnd(6, "0")),
  };
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Counts years from March, so that the leap day ends one. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719468;
}
