import type { Reading } from "../define-loader.ts";
import type { SourceValue } from "../encode/value-problem.ts";
import { isJson } from "./json-text.ts";

/** What a stored value looks like, beyond its class; every value that is not NULL has exactly one form. */
export type ValueForm =
  | "0 or 1"
  | "integer"
  | "integer beyond 2^53"
  | "whole real"
  | "whole real beyond 2^53"
  | "real"
  | "infinity"
  | "empty text"
  | "text with NUL"
  | "invalid text"
  | "ISO date"
  | "ISO midnight"
  | "ISO timestamp"
  | "impossible date"
  | "uuid"
  | "integer as text"
  | "integer beyond int8 as text"
  | "number as text"
  | "infinity or NaN as text"
  | "boolean word"
  | "JSON"
  | "broken JSON"
  | "text"
  | "16-byte blob"
  | "blob";

/** How a number reads as a moment between 1980 and 2100. */
export type MomentUnit = "s" | "ms" | "us" | "julianDay";

/** Parts that ISO timestamps may have. */
export type IsoPart = "T" | "Z" | "offset" | "fraction";

const isoText =
  /^(\d{4})-(\d\d)-(\d\d)(?:([ Tt])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?(?:([zZ])|([+-])(\d\d)(?::?(\d\d))?))?)?$/;
const dateLike = /^[+-]?\d{4,6}-\d{1,2}-\d{1,2}(?:[ T]|$)|^\d{1,2}[/.]\d{1,2}[/.]\d{4}(?: |$)/;
const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const integerText = /^[+-]?\d+$/;
const numberText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const notFinite = /^[+-]?(?:inf(?:inity)?|nan)$/i;
const booleanWord = /^(?:t|f|true|false|y|n|yes|no|on|off)$/i;

/** The form of a value. Text that holds bytes of another encoding is for the caller to find: it shows as U+FFFD. */
export function formOf(value: Exclude<SourceValue, null>): ValueForm {
  if (typeof value === "bigint") {
    if (value === 0n || value === 1n) return "0 or 1";
    const beyond = value > 9007199254740992n || value < -9007199254740992n;
    return beyond ? "integer beyond 2^53" : "integer";
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "infinity";
    if (!Number.isInteger(value)) return "real";
    return Number.isSafeInteger(value) ? "whole real" : "whole real beyond 2^53";
  }
  if (typeof value === "string") return textForm(value);
  return value.length === 16 ? "16-byte blob" : "blob";
}

function textForm(text: string): ValueForm {
  if (text === "") return "empty text";
  if (text.includes("\0")) return "text with NUL";
  const first = text.charCodeAt(0);
  if (first === 123 || first === 91) return isJson(text) ? "JSON" : "broken JSON";
  if (text.length > 64) return "text";
  const iso = isoText.exec(text);
  if (iso !== null) return isoForm(iso);
  if (integerText.test(text)) return isInt8(text) ? "integer as text" : "integer beyond int8 as text";
  if (numberText.test(text)) return "number as text";
  if (uuidText.test(text)) return "uuid";
  if (booleanWord.test(text)) return "boolean word";
  if (notFinite.test(text)) return "infinity or NaN as text";
  return dateLike.test(text) ? "impossible date" : "text";
}

function isInt8(text: string): boolean {
  if (text.length < 19) return true;
  const whole = BigInt(text.replace("+", ""));
  return whole === BigInt.asIntN(64, whole);
}

function isoForm(match: RegExpExecArray): ValueForm {
  const [, year, month, day, , hour, minute, second, fraction, z, sign] = match;
  const of = new Date(Date.UTC(2000, Number(month) - 1, Number(day)));
  of.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const exists =
    Number(year) > 0 && of.getUTCMonth() === Number(month) - 1 && of.getUTCDate() === Number(day);
  if (!exists || Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) {
    return "impossible date";
  }
  if (hour === undefined) return "ISO date";
  const midnight = Number(hour) + Number(minute) + Number(second ?? 0) + Number(fraction ?? 0) === 0;
  return midnight && z === undefined && sign === undefined ? "ISO midnight" : "ISO timestamp";
}

/** Which parts an ISO timestamp has. */
export function isoParts(text: string): IsoPart[] {
  const match = isoText.exec(text);
  if (match === null) return [];
  const parts: IsoPart[] = [];
  if (match[4] !== undefined && match[4] !== " ") parts.push("T");
  if (match[9] !== undefined) parts.push("Z");
  if (match[10] !== undefined) parts.push("offset");
  if (match[8] !== undefined) parts.push("fraction");
  return parts;
}

const from1980 = 315_532_800;
const to2100 = 4_102_444_800;

/** The unit in which a number is a moment between 1980 and 2100; no number is one in two units. */
export function momentUnit(number: number): MomentUnit | null {
  if (number >= 2_444_239.5 && number < 2_488_069.5) return "julianDay";
  if (number >= from1980 && number < to2100) return "s";
  if (number >= from1980 * 1e3 && number < to2100 * 1e3) return "ms";
  if (number >= from1980 * 1e6 && number < to2100 * 1e6) return "us";
  return null;
}

/** The unit as the loader declares it. */
export function readingOf(unit: MomentUnit): Reading {
  return unit === "julianDay" ? { kind: "julianDay" } : { kind: "epoch", unit };
}

/** The moment that a number stands for, as `2022-03-22 12:00:09` (UTC); null beyond what a date holds. */
export function momentText(number: number, unit: MomentUnit): string | null {
  const ms =
    unit === "julianDay"
      ? (number - 2440587.5) * 86_400_000
      : number * (unit === "s" ? 1e3 : unit === "ms" ? 1 : 1e-3);
  const moment = new Date(ms);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString().replace("T", " ").slice(0, 19);
}
