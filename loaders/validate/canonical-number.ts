import type { SourceValue } from "./source-value.ts";

const double = new Float64Array(1);
const single = new Float32Array(double.buffer);
const words = new Uint32Array(double.buffer);
/** Which word of a double holds its sign; that is up to the machine. */
const high = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
/** Hex digits of a 16-bit number: doubles are written four of them at a time. */
const quads = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, "0"));

/**
 * The bits of a double as 16 hex digits, or `NaN`. Bits rather than digits: engines differ in which of the
 * shortest digits they print, never in the bits, and -0 is not 0.
 */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  double[0] = value;
  return word(words[high] as number) + word(words[1 - high] as number);
}

/** The bits of the single-precision number nearest to `value` as 8 hex digits, or `NaN`. */
export function singleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  single[0] = value;
  return word(words[0] as number);
}

function word(value: number): string {
  return (quads[value >>> 16] as string) + (quads[value & 0xffff] as string);
}

/** A source number as the double it stands for; undefined when it is none, or when a digit would be lost. */
export function asDouble(value: Exclude<SourceValue, null>): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "bigint" && BigInt(Number(value)) === value ? Number(value) : undefined;
}

/** A source number as the single-precision number it is exactly; undefined when it is none. */
export function asSingle(value: Exclude<SourceValue, null>): number | undefined {
  const double = asDouble(value);
  return double !== undefined && Object.is(Math.fround(double), double) ? double : undefined;
}

/** A source number as a whole number of that many bytes; undefined when it is none. */
export function asInteger(value: Exclude<SourceValue, null>, bytes: 2 | 4 | 8): bigint | undefined {
  const whole = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
  return typeof whole === "bigint" && BigInt.asIntN(bytes * 8, whole) === whole ? whole : undefined;
}

/**
 * A source value as decimal text with exactly `scale` fraction digits; without `scale`, exact and without
 * trailing zeros. A real counts as its shortest decimal digits, which is what the application shows, and is
 * rounded half away from zero; a text must fit as it is. Undefined when it is no number.
 */
export function decimalText(value: Exclude<SourceValue, null>, scale: number | null): string | undefined {
  if (Buffer.isBuffer(value)) return undefined;
  const text = String(value);
  if (!isDecimal(text)) return /^-?Infinity$/.test(text) && typeof value === "number" ? text : undefined;
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace(/^[+-]/, "").split(".");
  const places = fraction.length - Number(exponent);
  const kept = scale ?? Math.max(places, 0);
  const given = BigInt(whole + fraction);
  const digits = shifted(given, kept - places);
  if (typeof value === "string" && shifted(digits, places - kept) !== given) return undefined;
  const plain = withPoint(digits, kept);
  const trimmed = scale === null && kept > 0 ? plain.replace(/\.?0+$/, "") : plain;
  return mantissa.startsWith("-") && digits !== 0n ? `-${trimmed}` : trimmed;
}

function isDecimal(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,5})?$/i.test(text);
}

/** `digits` times ten to the power of `places`, rounded half away from zero. */
function shifted(digits: bigint, places: number): bigint {
  if (places >= 0) return digits * 10n ** BigInt(places);
  const unit = 10n ** BigInt(-places);
  return (digits + unit / 2n) / unit;
}

function withPoint(digits: bigint, places: number): string {
  if (places === 0 || digits === 0n) return places > 0 ? `0.${"0".repeat(places)}` : digits.toString();
  if (places < 0) return digits.toString() + "0".repeat(-places);
  const padded = digits.toString().padStart(places + 1, "0");
  return `${padded.slice(0, -places)}.${padded.slice(-places)}`;
}
