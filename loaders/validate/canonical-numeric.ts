import type { RowBytes } from "./row-bytes.ts";
import type { WholeValue } from "./source-value.ts";

const pattern = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,5}))?$/i;
const mostWhole = 131_072;
const mostFraction = 16_383;

/** Bits of a numeric's sign field. */
export const signs = { plus: 0x0000, minus: 0x4000, infinity: 0xd000, minusInfinity: 0xf000 };

/** A decimal number: `digits` times ten to the power of minus `places`. */
export interface Decimal {
  negative: boolean;
  digits: bigint;
  places: number;
}

/** Limits of a numeric column, null for none. */
export interface NumericLimits {
  precision: number | null;
  scale: number | null;
}

/**
 * A source value as an exact decimal with `scale` places, or, without a scale, as it is; `±Infinity` where the column
 * takes it; undefined when it does not fit. A real counts as its shortest decimal digits, which is what the application
 * shows, and is rounded half away from zero; a text must fit as it is.
 */
export function asDecimal(
  value: WholeValue,
  { precision, scale }: NumericLimits,
): Decimal | number | undefined {
  if (Buffer.isBuffer(value)) return undefined;
  if (typeof value === "number" && !Number.isFinite(value)) {
    return precision === null && !Number.isNaN(value) ? value : undefined;
  }
  const given = decimalOf(String(value));
  if (given === undefined) return undefined;
  const kept = scale ?? Math.max(given.places, 0);
  const digits = shifted(given.digits, kept - given.places);
  if (typeof value === "string" && shifted(digits, given.places - kept) !== given.digits) return undefined;
  if (digits !== 0n && digits.toString().length > (precision ?? mostWhole + kept)) return undefined;
  return kept > mostFraction ? undefined : { negative: given.negative, digits, places: kept };
}

function decimalOf(text: string): Decimal | undefined {
  const match = pattern.exec(text);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match ?? [];
  if (match === null || whole + fraction === "") return undefined;
  return {
    negative: sign === "-",
    digits: BigInt(whole + fraction),
    places: fraction.length - Number(exponent),
  };
}

/** `digits` times ten to the power of `places`, rounded half away from zero. */
function shifted(digits: bigint, places: number): bigint {
  if (places >= 0) return digits * 10n ** BigInt(places);
  const unit = 10n ** BigInt(-places);
  return (digits + unit / 2n) / unit;
}

/**
 * Writes a numeric as PostgreSQL sends it: count of base-10000 digits, weight of the first, sign, display scale, digits
 * without zeros at either end. Where the column declares no scale, the display scale is 0: 1.50 is 1.5.
 */
export function putDecimal(row: RowBytes, value: Decimal | number, scale: number | null): void {
  if (typeof value === "number") {
    putNumericHeader(row, 0, 0, value > 0 ? signs.infinity : signs.minusInfinity, 0);
    return;
  }
  const { negative, digits, places } = value;
  const fraction = Math.max(places, 0);
  const text = (places < 0 ? digits * 10n ** BigInt(-places) : digits).toString().padStart(fraction + 1, "0");
  const point = text.length - fraction;
  // Groups of four digits are counted from the point.
  const whole = text.slice(0, point).padStart(Math.ceil(point / 4) * 4, "0");
  const groups = whole + text.slice(point).padEnd(Math.ceil(fraction / 4) * 4, "0");
  const numbers = (groups.match(/.{4}/g) ?? []).map(Number);
  const first = numbers.findIndex((group) => group !== 0);
  const last = numbers.findLastIndex((group) => group !== 0);
  const kept = first < 0 ? [] : numbers.slice(first, last + 1);
  const weight = first < 0 ? 0 : whole.length / 4 - 1 - first;
  putNumericHeader(
    row,
    kept.length,
    weight,
    negative && first >= 0 ? signs.minus : signs.plus,
    Math.max(scale ?? 0, 0),
  );
  for (const group of kept) {
    row.view.setInt16(row.at, group);
    row.at += 2;
  }
}

/** Writes the length and the four words before the digits, and makes room for those. */
export function putNumericHeader(
  row: RowBytes,
  count: number,
  weight: number,
  sign: number,
  scale: number,
): void {
  row.reserve(12 + count * 2);
  const { view, at } = row;
  view.setInt32(at, 8 + count * 2);
  view.setInt16(at + 4, count);
  view.setInt16(at + 6, weight);
  view.setUint16(at + 8, sign);
  view.setInt16(at + 10, scale);
  row.at += 12;
}

/** The double nearest to a decimal. */
export function decimalNumber({ negative, digits, places }: Decimal): number {
  return Number(`${negative ? "-" : ""}${digits}e${-places}`);
}
