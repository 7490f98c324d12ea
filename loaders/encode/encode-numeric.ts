import type { CopyBuffer } from "./copy-buffer.ts";
import { type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;
const negative = 0x4000;
const infinite = 0xd000;
const negativeInfinite = 0xf000;

/**
 * Exact decimals. A real becomes the shortest decimal that reads back as the same double, then is rounded to the
 * declared scale, half away from zero: that is what numeric(p,s) over a REAL column declares. Decimal text has to fit
 * as it is. Minus zero becomes zero, for numeric has one zero.
 */
export function encodeNumeric(precision: number | null, scale: number | null) {
  const typeText = precision === null ? "numeric" : `numeric(${precision},${scale})`;
  return (value: SourceValue, out: CopyBuffer): void => {
    if (value === null || typeof value === "object") throw wrongClass(value, typeText);
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      if (precision !== null) throw wrongClass(value, `finite number, as ${typeText} asks for`);
      putNumeric(out, 0, value > 0 ? infinite : negativeInfinite, 0, "");
      return;
    }
    const match = decimal.exec(String(value));
    if (match === null || (match[2] === "" && !match[3])) throw wrongClass(value, typeText);
    let whole = match[2] ?? "";
    let fraction = match[3] ?? "";
    const exponent = Number(match[4] ?? 0);
    if (exponent > 0) {
      whole += fraction.slice(0, exponent).padEnd(exponent, "0");
      fraction = fraction.slice(exponent);
    } else if (exponent < 0) {
      fraction = whole.slice(exponent).padStart(-exponent, "0") + fraction;
      whole = whole.slice(0, exponent);
    }
    if (precision !== null && scale !== null) {
      if (fraction.length > Math.max(scale, 0) || scale < 0) {
        const dropped = scale < 0 ? whole.slice(scale) + fraction : fraction.slice(scale);
        if (typeof value === "string" && /[1-9]/.test(dropped)) {
          throw new ValueProblem(value, `has more than ${scale} decimals (${typeText})`);
        }
        [whole, fraction] = rounded(whole, fraction, scale);
      }
      const digits = whole.replace(/^0+/, "").length;
      if (digits > precision - scale) {
        throw new ValueProblem(value, `is too large for ${typeText}`);
      }
    }
    if (whole.length > 131072 || fraction.length > 16383) throw wrongClass(value, typeText);
    putDecimal(out, match[1] === "-", whole, fraction);
  };
}

/** Rounds half away from zero to `scale` decimals; a negative scale rounds left of the point. */
function rounded(whole: string, fraction: string, scale: number): [string, string] {
  const all = `0${whole}${fraction}`;
  const keep = whole.length + 1 + scale;
  if (keep <= 0) return ["", ""];
  const up = (all[keep] ?? "0") >= "5";
  let kept = all.slice(0, keep).padEnd(keep, "0");
  if (up) kept = String(BigInt(kept) + 1n).padStart(keep, "0");
  if (scale <= 0) return [kept + "0".repeat(-scale), ""];
  return [kept.slice(0, kept.length - scale), kept.slice(kept.length - scale)];
}

function putDecimal(out: CopyBuffer, minus: boolean, whole: string, fraction: string): void {
  const scale = fraction.length;
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, "0");
  const right = fraction.padEnd(Math.ceil(scale / 4) * 4, "0");
  const groups = left + right;
  let first = 0;
  while (first < groups.length && groups.startsWith("0000", first)) first += 4;
  let last = groups.length;
  while (last > first && groups.startsWith("0000", last - 4)) last -= 4;
  const weight = left.length / 4 - 1 - first / 4;
  const digits = groups.slice(first, last);
  putNumeric(out, digits === "" ? 0 : weight, minus && digits !== "" ? negative : 0, scale, digits);
}

/** `digits` come in groups of four, each one base-10000 digit. */
function putNumeric(out: CopyBuffer, weight: number, sign: number, scale: number, digits: string): void {
  const count = digits.length / 4;
  out.reserve(12 + count * 2);
  out.putInt32(8 + count * 2);
  out.putInt16(count);
  out.putInt16(weight);
  out.view.setUint16(out.at, sign);
  out.at += 2;
  out.putInt16(scale);
  for (let at = 0; at < digits.length; at += 4) out.putInt16(Number(digits.slice(at, at + 4)));
}
