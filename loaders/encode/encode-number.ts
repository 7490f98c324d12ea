import type { CopyBuffer } from "./copy-buffer.ts";
import { type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

const ranges = {
  int2: { low: -32768n, high: 32767n, name: "smallint" },
  int4: { low: -2147483648n, high: 2147483647n, name: "integer" },
  int8: { low: -9223372036854775808n, high: 9223372036854775807n, name: "bigint" },
} as const;

const wholeText = /^[+-]?\d+$/;
const decimalText = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const namedDouble = new Map([
  ["infinity", Number.POSITIVE_INFINITY],
  ["inf", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["nan", Number.NaN],
]);

/** Whole numbers: an integer in range, a text of its digits, or a real that is one exactly. */
export function encodeInteger(kind: keyof typeof ranges) {
  const { low, high, name } = ranges[kind];
  const bytes = kind === "int2" ? 2 : kind === "int4" ? 4 : 8;
  return (value: SourceValue, out: CopyBuffer): void => {
    const whole = typeof value === "bigint" ? value : wholeNumber(value, name);
    if (whole < low || whole > high) throw new ValueProblem(value, `is outside the range of ${name}`);
    out.reserve(4 + bytes);
    out.putInt32(bytes);
    if (bytes === 8) out.putInt64(whole);
    else if (bytes === 4) out.putInt32(Number(whole));
    else out.putInt16(Number(whole));
  };
}

function wholeNumber(value: SourceValue, name: string): bigint {
  if (typeof value === "string" && wholeText.test(value)) return wholeOf(value);
  if (typeof value !== "number") throw wrongClass(value, name);
  if (!Number.isSafeInteger(value)) throw wrongClass(value, `exact ${name}`);
  return BigInt(value);
}

function wholeOf(digits: string): bigint {
  return BigInt(digits.startsWith("+") ? digits.slice(1) : digits);
}

/** A text that is a plain decimal number: whole ones exactly, others as the nearest double; null for anything else. */
export function plainNumber(text: string): bigint | number | null {
  if (wholeText.test(text)) return wholeOf(text);
  return decimalText.test(text) ? Number(text) : null;
}

/** Double precision: a real as it is, an integer that a double holds exactly, or the double nearest to a decimal text. */
export function encodeFloat8(value: SourceValue, out: CopyBuffer): void {
  const double = typeof value === "number" ? value : asDouble(value, "double precision");
  out.reserve(12);
  out.putInt32(8);
  out.putFloat64(double);
}

/** Single precision: only what it holds exactly. */
export function encodeFloat4(value: SourceValue, out: CopyBuffer): void {
  const double = typeof value === "number" ? value : asDouble(value, "real");
  if (!Object.is(Math.fround(double), double)) {
    throw new ValueProblem(value, "is no exact single-precision real; use double precision");
  }
  out.reserve(8);
  out.putInt32(4);
  out.view.setFloat32(out.at, double);
  out.at += 4;
}

function asDouble(value: SourceValue, name: string): number {
  if (typeof value === "string") return doubleOf(value, name);
  if (typeof value !== "bigint") throw wrongClass(value, name);
  const double = Number(value);
  if (BigInt(double) !== value) throw new ValueProblem(value, `has more digits than ${name} holds`);
  return double;
}

function doubleOf(text: string, name: string): number {
  if (!decimalText.test(text)) {
    const named = namedDouble.get(text.toLowerCase());
    if (named === undefined) throw wrongClass(text, name);
    return named;
  }
  const double = Number(text);
  if (!Number.isFinite(double) || (double === 0 && /[1-9]/.test(text.replace(/[eE].*/, "")))) {
    throw new ValueProblem(text, `is outside the range of ${name}`);
  }
  return double;
}

const truths = new Map([
  ...["t", "true", "1", "y", "yes", "on"].map((text) => [text, true] as const),
  ...["f", "false", "0", "n", "no", "off"].map((text) => [text, false] as const),
]);

/** SQLite has no boolean of its own: 0 is false, 1 is true, and so are the words that PostgreSQL knows. */
export function encodeBoolean(value: SourceValue, out: CopyBuffer): void {
  const truth = value === 1n ? true : value === 0n ? false : wordOfTruth(value);
  out.reserve(5);
  out.putInt32(1);
  out.bytes[out.at++] = truth ? 1 : 0;
}

function wordOfTruth(value: SourceValue): boolean {
  const truth = typeof value === "string" ? truths.get(value.toLowerCase()) : undefined;
  if (truth === undefined) throw wrongClass(value, "boolean (0, 1, true, false, yes, no, on, off)");
  return truth;
}
