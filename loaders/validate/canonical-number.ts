import type { WholeValue as Value } from "./source-value.ts";

const wholePattern = /^[+-]?\d+$/;
const numberPattern = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** A text that is a plain number: a whole one exactly, any other as the nearest double; undefined for none. */
export function plainNumber(text: string): bigint | number | undefined {
  if (wholePattern.test(text)) return BigInt(text.replace("+", ""));
  return numberPattern.test(text) ? Number(text) : undefined;
}

/** A value as the double it stands for; undefined when it is none, or when a digit of a whole number would be lost. */
export function asDouble(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return BigInt(Number(value)) === value ? Number(value) : undefined;
  if (typeof value !== "string") return undefined;
  if (numberPattern.test(value)) {
    const double = Number(value);
    const vanished = double === 0 && /[1-9]/.test(value.split(/e/i)[0] ?? "");
    return Number.isFinite(double) && !vanished ? double : undefined;
  }
  if (/^nan$/i.test(value)) return Number.NaN;
  const infinite = /^(-?)inf(?:inity)?$/i.exec(value);
  return infinite ? (infinite[1] === "-" ? -1 : 1) * Number.POSITIVE_INFINITY : undefined;
}

/** A value as the single-precision number it is exactly; undefined when it is none. */
export function asSingle(value: Value): number | undefined {
  const double = asDouble(value);
  return double !== undefined && Object.is(Math.fround(double), double) ? double : undefined;
}

/** A value as a whole number of that many bytes; undefined when it is none. */
export function asInteger(value: Value, bytes: 2 | 4 | 8): bigint | undefined {
  let whole: bigint | undefined;
  if (typeof value === "bigint") whole = value;
  else if (typeof value === "number") whole = Number.isSafeInteger(value) ? BigInt(value) : undefined;
  else if (typeof value === "string" && wholePattern.test(value)) whole = BigInt(value.replace("+", ""));
  return whole !== undefined && BigInt.asIntN(bytes * 8, whole) === whole ? whole : undefined;
}

/** A value as true or false; undefined when it is neither. */
export function asBoolean(value: Value): boolean | undefined {
  if (typeof value === "bigint") return value === 1n ? true : value === 0n ? false : undefined;
  if (typeof value !== "string") return undefined;
  if (/^(t|true|1|y|yes|on)$/i.test(value)) return true;
  return /^(f|false|0|n|no|off)$/i.test(value) ? false : undefined;
}
