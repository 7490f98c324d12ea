import type { Reading } from "../define-loader.ts";
import { numberReader } from "../encode/time-number.ts";
import type { SourceValue } from "../encode/value-problem.ts";
import type { Forms } from "./spelling.ts";
import { type Moment, microsADay } from "./target-value.ts";

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:([ T])(\d\d):(\d\d)(?::(\d\d)(?:([.,])(\d+))?)?( ?(?:[zZ]|[+-]\d\d(?::?\d\d)?))?)?$/;
/** `D`, or D, space or T, then `m` (minutes), `s` (seconds) or a number of decimals, then the zone as it is written. */
const layout = /^D(?:([ T])([ms]|\d+)(.*))?$/;
const microsPerUnit = { s: 1_000_000n, ms: 1000n, us: 1n } as const;

/**
 * Dates and timestamps: ISO texts by their layout, numbers by the column's reading. Moments are of a kind by how fine
 * they are, since many writers leave out what is zero.
 */
export function timeForms(
  type: "date" | "timestamp" | "timestamptz",
  reading: Reading | null,
  declaredType: string,
): Forms {
  const numbers = reading === null ? null : numberForms(reading, type);
  const days = type === "date" || /^\s*date\s*$/i.test(declaredType) ? ["D"] : [];
  const usual = numbers === null ? days : ["integer", "real"];
  const last = new Map<string, { key: number; micros: number; text: string }>();
  return {
    kindOf: (value) => (typeof value === "string" ? value : finenessOf(value as Moment)),
    write(value, spelling) {
      if (typeof value === "string") return value;
      const moment = value as Moment;
      if (!spelling.startsWith("D")) return numbers?.write(moment, spelling.replace(/\*$/, ""));
      const known = last.get(spelling);
      if (known && known.key === moment.days && known.micros === moment.micros) return known.text;
      const text = laidOut(moment, spelling.replace(/\*$/, ""));
      if (text !== undefined) last.set(spelling, { key: moment.days, micros: moment.micros, text });
      return text;
    },
    recognise(value) {
      const found = typeof value === "string" ? recogniseText(value) : null;
      return found ?? numbers?.recognise(value) ?? null;
    },
    defaults: [...usual, ...(type === "date" ? [] : ["D 6"])],
  };
}

function finenessOf({ micros }: Moment): string {
  if (micros === 0) return "day";
  if (micros % 60_000_000 === 0) return "minute";
  let digits = 6;
  for (let rest = micros; digits > 0 && rest % 10 === 0; rest /= 10) digits -= 1;
  return `s${digits}`;
}

function recogniseText(text: string): { kind: string; spelling: string } | null {
  const match = iso.exec(text);
  if (match === null) return null;
  const [, year, month, day, gap, hour = "0", minute = "0", second, point, fraction = "", zone = ""] = match;
  const millis = Date.UTC(
    2000,
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second ?? 0),
  );
  const shifted = new Date(millis - offsetMinutes(zone) * 60_000);
  const micros =
    (shifted.getUTCHours() * 3600 + shifted.getUTCMinutes() * 60 + shifted.getUTCSeconds()) * 1e6 +
    Number(fraction.slice(0, 6).padEnd(6, "0"));
  const kind = finenessOf({ days: 0, micros });
  if (year === undefined) return null;
  if (gap === undefined) return { kind, spelling: "D" };
  const fine = second === undefined ? "m" : fraction === "" ? "s" : String(fraction.length);
  return { kind, spelling: `D${gap}${fine}${zone}${point === "," ? "*" : ""}` };
}

function offsetMinutes(zone: string): number {
  const match = /([+-])(\d\d):?(\d\d)?/.exec(zone);
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
}

function laidOut({ days, micros }: Moment, spelling: string): string | undefined {
  const match = layout.exec(spelling);
  if (match === null) return undefined;
  const [, gap, fine = "", zone = ""] = match;
  const shift = offsetMinutes(zone) * 60_000_000;
  const over = Math.floor((micros + shift) / microsADay);
  const ofDay = micros + shift - over * microsADay;
  const date = isoDay(days + over);
  if (date === undefined) return undefined;
  if (gap === undefined) return ofDay === 0 ? date : undefined;
  const second = Math.floor(ofDay / 1e6);
  const fraction = ofDay - second * 1e6;
  const clock = `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}`;
  if (fine === "m") return ofDay % 60_000_000 === 0 ? `${date}${gap}${clock}${zone}` : undefined;
  const seconds = two(second % 60);
  if (fine === "s") return fraction === 0 ? `${date}${gap}${clock}:${seconds}${zone}` : undefined;
  const digits = Number(fine);
  const decimals = String(fraction).padStart(6, "0");
  if (/[1-9]/.test(decimals.slice(digits))) return undefined;
  return `${date}${gap}${clock}:${seconds}.${decimals.slice(0, digits).padEnd(digits, "0")}${zone}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

const isoDays = new Map<number, string>();

/** Undefined outside the years 1 to 9999, which no ISO text that the loader reads can name. */
function isoDay(days: number): string | undefined {
  const known = isoDays.get(days);
  if (known !== undefined) return known;
  if (days < -719162 || days > 2932896) return undefined;
  const text = new Date(days * 86_400_000).toISOString().slice(0, 10);
  if (isoDays.size > 50_000) isoDays.clear();
  isoDays.set(days, text);
  return text;
}

function numberForms(reading: Reading, type: string) {
  const micros = numberReader(reading, type);
  const write = (moment: Moment, spelling: string): SourceValue | undefined => {
    const total = BigInt(moment.days) * BigInt(microsADay) + BigInt(moment.micros);
    const number = reading.kind === "julianDay" ? julian(total) : counted(total, microsPerUnit[reading.unit]);
    const isExact = micros(number) === total;
    if (spelling === "integer") {
      const whole =
        typeof number === "bigint" ? number : Number.isSafeInteger(number) ? BigInt(number) : null;
      return whole !== null && micros(whole) === total ? whole : undefined;
    }
    if (!isExact) return undefined;
    return spelling === "real" ? Number(number) : String(number);
  };
  const recognise = (value: Exclude<SourceValue, null>): { kind: string; spelling: string } | null => {
    let total: bigint | null = null;
    try {
      total = micros(value);
    } catch {
      return null;
    }
    if (total === null) return null;
    const spelling = typeof value === "bigint" ? "integer" : typeof value === "number" ? "real" : "text";
    const day = BigInt(microsADay);
    const ofDay = ((total % day) + day) % day;
    const moment = { days: Number((total - ofDay) / day), micros: Number(ofDay) };
    const again = write(moment, spelling);
    return { kind: finenessOf(moment), spelling: again === value ? spelling : `${spelling}*` };
  };
  return { write, recognise };
}

function counted(micros: bigint, unit: bigint): bigint | number {
  return micros % unit === 0n ? micros / unit : Number(micros) / Number(unit);
}

function julian(micros: bigint): number {
  return Number(micros) / microsADay + 2440587.5;
}
