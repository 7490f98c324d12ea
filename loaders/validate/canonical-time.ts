import type { Reading } from "../define-loader.ts";
import { plainNumber } from "./canonical-number.ts";
import type { WholeValue as Value } from "./source-value.ts";

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?)?$/;

const microsADay = 86_400_000_000n;
/** Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from. */
const epoch2000 = 946_684_800_000_000n;
/** PostgreSQL's first moment and the first one beyond its last, and the same for dates, counted from 1970. */
const moments = { first: -210_866_803_200_000_000n, end: 9_224_318_016_000_000_000n };
const dates = { first: -2_440_588n, end: 2_145_042_906n };

/** How a value of a source column becomes a moment. */
export interface TimeRule {
  /** How numbers are read; null where they are no moments. */
  reading: Reading | null;
  /** Digits of the second's fraction that the column keeps. */
  digits: number;
}

/** What a value says about a moment: microseconds since 1970, and whether it names an offset from UTC. */
interface Moment {
  micros: bigint;
  zoned: boolean;
}

/** A value as microseconds since 2000 in UTC, which is what a text without offset says; undefined when it is no moment. */
export function asTimestamp(value: Value, { reading, digits }: TimeRule): bigint | undefined {
  const moment = momentOf(value, reading);
  if (!moment || moment.micros % 10n ** BigInt(6 - digits) !== 0n) return undefined;
  const kept = moment.micros >= moments.first && moment.micros < moments.end;
  return kept ? moment.micros - epoch2000 : undefined;
}

/** A value as days since 2000; undefined when it is no date, or has a time of day other than midnight, or an offset. */
export function asDate(value: Value, { reading }: TimeRule): bigint | undefined {
  const moment = momentOf(value, reading);
  if (!moment || moment.zoned || moment.micros % microsADay !== 0n) return undefined;
  const days = moment.micros / microsADay;
  return days >= dates.first && days < dates.end ? days - epoch2000 / microsADay : undefined;
}

function momentOf(value: Value, reading: Reading | null): Moment | undefined {
  if (typeof value === "string") {
    const moment = parse(value);
    if (moment) return moment;
  }
  if (reading === null || Buffer.isBuffer(value)) return undefined;
  const number = typeof value === "string" ? plainNumber(value) : value;
  const micros = number === undefined ? undefined : numberMicros(number, reading);
  return micros === undefined ? undefined : { micros, zoned: false };
}

function numberMicros(number: bigint | number, reading: Reading): bigint | undefined {
  // Beyond that lies no moment that PostgreSQL could keep, whatever the unit.
  if (typeof number === "number" && !(Math.abs(number) <= 1e19)) return undefined;
  if (reading.kind === "julianDay") {
    const ms = Math.round((Number(number) - 2_440_587.5) * 86_400_000);
    return Number.isFinite(ms) ? BigInt(ms) * 1000n : undefined;
  }
  const unit = reading.unit === "s" ? 1_000_000 : reading.unit === "ms" ? 1000 : 1;
  return typeof number === "bigint" ? number * BigInt(unit) : BigInt(Math.round(number * unit));
}

function parse(text: string): Moment | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = date.getTime() / 1000 + (hour * 60 + minute) * 60 + second;
  const fraction = (match[7] ?? "").replace(/0+$/, "");
  const offset = offsetOf(match[8]);
  if (fraction.length > 6 || Number.isNaN(offset)) return undefined;
  const micros = BigInt(seconds - offset * 60) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return { micros, zoned: match[8] !== undefined };
}

/** Minutes ahead of UTC; NaN for an offset that no clock has. */
function offsetOf(zone: string | undefined): number {
  if (zone === undefined || zone === "Z" || zone === "z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", "") || 0)];
  if (hours > 15 || minutes > 59) return Number.NaN;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Microseconds since 2000 as `YYYY-MM-DD HH:MM:SS[.ffffff]`. */
export function timestampText(micros: bigint): string {
  const since1970 = micros + epoch2000;
  const ofSecond = ((since1970 % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const moment = new Date(Number((since1970 - ofSecond) / 1000n));
  const fraction = ofSecond === 0n ? "" : `.${String(ofSecond).padStart(6, "0").replace(/0+$/, "")}`;
  const iso = Number.isNaN(moment.getTime()) ? `${since1970} µs since 1970` : moment.toISOString();
  return `${iso.replace("T", " ").replace(/\.\d+Z$/, "")}${fraction}`;
}

/** Days since 2000 as `YYYY-MM-DD`. */
export function dateText(days: bigint): string {
  return timestampText(days * microsADay).replace(/ 00:00:00$/, "");
}
