import type { CopyBuffer } from "./copy-buffer.ts";
import { type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

const ranges = {
  int2: { low: -32768n, high: 32767n, name: "smallint" },
  int4: { low: -2147483648n, high: 2147483647n, name: "integer" },
  int8: { low: -9223372036854775808n, high: 9223372036854775807n, name: "bigint" },
} as const;

/** Whole numbers: an integer in range, or a real that is one exactly. */
export function encodeInteger(kind: keyof typeof ranges) {
  const { low, high, name } = ranges[kind];
  const bytes = kind === "int2" ? 2 : kind === "int4" ? 4 : 8;
  return (value: SourceValue, out: CopyBuffer): void => {
    const whole = typeof value === "number" ? wholeNumber(value, name) : value;
    if (typeof whole !== "bigint") throw wrongClass(value, name);
    if (whole < low || whole > high)
      throw new ValueProblem(value, `${whole} is outside the range of ${name}`);
    out.reserve(4 + bytes);
    out.putInt32(bytes);
    if (bytes === 8) out.putInt64(whole);
    else if (bytes === 4) out.putInt32(Number(whole));
    else out.putInt16(Number(whole));
  };
}

function wholeNumber(value: number, name: string): bigint {
  if (!Number.isSafeInteger(value)) throw new ValueProblem(value, `real ${value} is no exact ${name}`);
  return BigInt(value);
}

/** Double precision: a real as it is, or an integer that a double holds exactly. */
export function encodeFloat8(value: SourceValue, out: CopyBuffer): void {
  out.reserve(12);
  out.putInt32(8);
  out.putFloat64(typeof value === "number" ? value : exactDouble(value, "double precision"));
}

/** Single precision: only what it holds exactly. */
export function encodeFloat4(value: SourceValue, out: CopyBuffer): void {
  const double = typeof value === "number" ? value : exactDouble(value, "real");
  if (!Object.is(Math.fround(double), double)) {
    throw new ValueProblem(value, `${double} is no exact single-precision real; use double precision`);
  }
  out.reserve(8);
  out.putInt32(4);
  out.view.setFloat32(out.at, double);
  out.at += 4;
}

function exactDouble(value: SourceValue, name: string): number {
  if (typeof value !== "bigint") throw wrongClass(value, name);
  const double = Number(value);
  if (BigInt(double) !== value) throw new ValueProblem(value, `${value} has more digits than ${name} holds`);
  return double;
}

/** SQLite has no boolean of its own: 0 is false, 1 is true, anything else is a problem. */
export function encodeBoolean(value: SourceValue, out: CopyBuffer): void {
  if (value !== 0n && value !== 1n) throw wrongClass(value, "boolean (0 or 1)");
  out.reserve(5);
  out.putInt32(1);
  out.bytes[out.at++] = value === 1n ? 1 : 0;
}
