import type { CopyBuffer } from "./copy-buffer.ts";
import { plainNumber } from "./encode-number.ts";
import { numberReader, type TimeColumn, unitless } from "./time-number.ts";
import { type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

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

/** A text or number as microseconds since 1970, null for what is no number of the column's reading. */
type ReadNumber = (value: SourceValue) => bigint | null;

/** PostgreSQL's first and last moment, and the bounds of a date, counted from 1970. */
const firstMicros = -210866803200000000n;
const endOfMicros = 9224318016000000000n;
const firstDay = -2440588;
const endOfDays = 2145042906;
const microsADay = 86_400_000_000n;

/**
 * ISO dates; a timestamp only when it is midnight exactly and names no zone, which could make it another day. Numbers
 * by the column's reading, exact midnight only.
 */
export function encodeDate(column: TimeColumn) {
  const readNumber = column.reading === null ? null : numberReader(column.reading, "date");
  return (value: SourceValue, out: CopyBuffer): void => {
    const days = numberAsDays(value, readNumber) ?? textAsDays(value, column);
    out.reserve(8);
    out.putInt32(4);
    out.putInt32(days - epochDays);
  };
}

function numberAsDays(value: SourceValue, readNumber: ReadNumber | null): number | null {
  const micros = readNumber === null ? null : readNumber(value);
  if (micros === null) return null;
  if (micros % microsADay !== 0n) throw new ValueProblem(value, "has a time of day, and a date has none");
  const days = Number(micros / microsADay);
  if (days < firstDay || days >= endOfDays) throw new ValueProblem(value, "is outside the range of date");
  return days;
}

function textAsDays(value: SourceValue, column: TimeColumn): number {
  const instant = parse(value, "date", 6, column);
  if (typeof value === "string" && zone.test(value)) {
    throw new ValueProblem(value, "names a zone, and a date has none");
  }
  if (instant.seconds !== 0 || instant.micros !== 0) {
    throw new ValueProblem(value, "has a time of day, and a date has none");
  }
  return instant.days + epochDays;
}

/**
 * ISO timestamps with a space or T, a fraction of at most `digits` decimals, Z or an offset. Without an offset the
 * text is UTC; a date alone is midnight UTC. In a timestamp without time zone an offset is turned into UTC. Numbers by
 * the column's reading.
 */
export function encodeTimestamp(kind: "timestamp" | "timestamptz", digits: number, column: TimeColumn) {
  const readNumber = column.reading === null ? null : numberReader(column.reading, kind);
  const finest = 10n ** BigInt(6 - digits);
  // Rows written together bear the same text: the last one is remembered.
  let lastText = "";
  let lastHigh = 0;
  let lastLow = 0;
  return (value: SourceValue, out: CopyBuffer): void => {
    if (value !== lastText || lastText === "") {
      const plain = parsePlain(value);
      const micros = plain === null && readNumber !== null ? readNumber(value) : null;
      if (micros !== null) {
        if (micros < firstMicros || micros >= endOfMicros) {
          throw new ValueProblem(value, `is outside the range of ${kind}`);
        }
        if (micros % finest !== 0n) throw tooFine(value, digits);
        out.reserve(12);
        out.putInt32(8);
        out.putInt64(micros - BigInt(epochDays) * microsADay);
        return;
      }
      const { days, seconds, micros: fraction } = plain ?? parse(value, kind, digits, column);
      const total = days * 86400 + seconds;
      if (Math.abs(total) < 9e9) {
        const exact = total * 1e6 + fraction;
        lastHigh = Math.floor(exact / 2 ** 32);
        lastLow = exact - lastHigh * 2 ** 32;
      } else {
        const exact = BigInt(total) * 1_000_000n + BigInt(fraction);
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

function tooFine(value: SourceValue, digits: number): ValueProblem {
  return new ValueProblem(value, `has more than ${digits} decimals of a second`);
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

function parse(value: SourceValue, type: string, digits: number, column: TimeColumn): Instant {
  if (typeof value === "bigint" || typeof value === "number") {
    throw column.reading === null ? unitless(value, column) : wrongClass(value, type);
  }
  const match = typeof value === "string" ? iso.exec(value) : null;
  if (match === null) throw noMoment(value, type, column);
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4] ?? 0), Number(match[5] ?? 0), Number(match[6] ?? 0)];
  if (year < 1) throw new ValueProblem(value, "names the year 0, and PostgreSQL counts from year 1");
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) {
    throw new ValueProblem(value, `is no ${type}: the calendar has no such day`);
  }
  if (hour === 24) {
    throw new ValueProblem(value, `is no ${type}: hours end at 23; write 24:00 as 00:00 of the next day`);
  }
  if (second === 60) throw new ValueProblem(value, `is no ${type}: a second 60 (leap second) cannot be kept`);
  if (hour > 23 || minute > 59 || second > 59) {
    throw new ValueProblem(value, `is no ${type}: the clock has no such time`);
  }
  const fraction = match[7] ?? "";
  if (fraction.length > digits && /[1-9]/.test(fraction.slice(digits))) throw tooFine(value, digits);
  const offset = Number(match[10] ?? 0) * 3600 + Number(match[11] ?? 0) * 60;
  if (offset > 15 * 3600 + 59 * 60 || Number(match[11] ?? 0) > 59) {
    throw new ValueProblem(value, `is no ${type}: there is no such offset from UTC`);
  }
  return {
    days: daysSince1970(year, month, day) - epochDays,
    seconds: hour * 3600 + minute * 60 + second + (match[9] === "-" ? offset : -offset),
    micros: Number(fraction.slice(0, 6).padEnd(6, "0")),
  };
}

/** A text that is a number lacks what a number lacks; any other is simply not understood. */
function noMoment(value: SourceValue, type: string, column: TimeColumn): ValueProblem {
  const number = typeof value === "string" && column.reading === null ? plainNumber(value) : null;
  return number === null ? wrongClass(value, type) : unitless(value, column);
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
