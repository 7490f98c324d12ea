import type { SourceValue } from "../encode/value-problem.ts";
import type { Source } from "../source/open-source.ts";
import { formOf, type IsoPart, isoParts, type MomentUnit, momentUnit, type ValueForm } from "./value-form.ts";

/** What the values of one column look like, over the rows that were read. */
export interface ColumnForms {
  /** Form -> number of values. */
  forms: Partial<Record<ValueForm, number>>;
  /** Unit -> numbers, and texts that are numbers, that are a moment between 1980 and 2100 in it. */
  moments: Partial<Record<MomentUnit, number>>;
  /** Parts of ISO timestamps -> number of values that have them. */
  iso: Partial<Record<IsoPart, number>>;
  /** Whole digits and decimals that the widest numbers need; for a declared precision. */
  digits: { whole: number; decimals: number };
}

export function emptyForms(): ColumnForms {
  return { forms: {}, moments: {}, iso: {}, digits: { whole: 0, decimals: 0 } };
}

/** Counts one value in. `invalid` says that the text holds bytes of another encoding. */
export function countForm(
  column: ColumnForms,
  value: Exclude<SourceValue, null>,
  invalid: boolean,
  digits: boolean,
): void {
  const form = invalid ? "invalid text" : formOf(value);
  column.forms[form] = (column.forms[form] ?? 0) + 1;
  if (form === "ISO timestamp" || form === "ISO midnight") {
    for (const part of isoParts(value as string)) column.iso[part] = (column.iso[part] ?? 0) + 1;
    return;
  }
  const isNumber = typeof value !== "string" || form === "integer as text" || form === "number as text";
  if (!isNumber || typeof value === "object") return;
  const unit = momentUnit(Number(value));
  if (unit !== null) column.moments[unit] = (column.moments[unit] ?? 0) + 1;
  if (digits) countDigits(column, value);
}

function countDigits(column: ColumnForms, value: Exclude<SourceValue, null>): void {
  const match = /^[+-]?(\d+)(?:\.(\d+))?$/.exec(String(value));
  const { digits } = column;
  // An exponent or infinity fits no declared precision worth keeping.
  const whole = match === null ? 1000 : (match[1] ?? "").replace(/^0+/, "").length;
  digits.whole = Math.max(digits.whole, whole);
  digits.decimals = Math.max(digits.decimals, match?.[2]?.length ?? 0);
}

/**
 * Returns a test for texts that were read with U+FFFD in them: whether the bytes themselves are something else. SQLite
 * gives the bytes as a blob; a view has no key to fetch a row by, so its text is taken as it is read.
 */
export function invalidTextTest(source: Source): (text: string, bytes: () => Buffer | undefined) => boolean {
  const encoding = source.pragma("encoding", { simple: true }) as string;
  return (text, bytes) => {
    const stored = bytes();
    return stored !== undefined && !encoded(text, encoding).equals(stored);
  };
}

function encoded(text: string, encoding: string): Buffer {
  if (encoding === "UTF-8") return Buffer.from(text);
  const bytes = Buffer.from(text, "utf16le");
  return encoding === "UTF-16be" ? bytes.swap16() : bytes;
}
