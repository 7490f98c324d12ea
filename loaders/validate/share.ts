/** A share between 0 and 1 as the exact fraction that its decimal digits mean: 0.001 is 1/1000. */
export interface Fraction {
  numerator: bigint;
  denominator: bigint;
}

/** The fraction that a number means as a person wrote it: its shortest decimal digits, not its bits. */
export function fractionOf(share: number): Fraction {
  const [digits = "0", exponent = "0"] = String(share).toLowerCase().split("e");
  const [whole = "0", decimals = ""] = digits.split(".");
  const shift = decimals.length - Number(exponent);
  const numerator = BigInt(whole + decimals);
  return shift >= 0
    ? { numerator, denominator: 10n ** BigInt(shift) }
    : { numerator: numerator * 10n ** BigInt(-shift), denominator: 1n };
}

/** The most rows that are less than the share of `rows`; 0 where none is. */
export function rowsBelow(share: number, rows: number): number {
  const { numerator, denominator } = fractionOf(share);
  const product = numerator * BigInt(rows);
  return product === 0n ? 0 : Number((product - 1n) / denominator);
}

/** Whether `part` of `whole` rows is at least the share; of no rows, all are there. */
export function reaches(part: number, whole: number, share: number): boolean {
  if (whole === 0) return true;
  const { numerator, denominator } = fractionOf(share);
  return BigInt(part) * denominator >= numerator * BigInt(whole);
}

const decimals = 6;

/**
 * Part of a whole in percent, with up to six decimals; `away` from a whole or from nothing decides what is cut off,
 * so that 99.9999999 % never reads 100 %, nor 0.0000001 % as 0 %.
 */
export function percent(part: number, whole: number, away: "down" | "up"): string {
  if (whole === 0) return part === 0 ? "0 %" : "all";
  const scaled = BigInt(part) * 100n * 10n ** BigInt(decimals);
  const cut = scaled / BigInt(whole);
  const rounded = away === "up" && scaled % BigInt(whole) !== 0n ? cut + 1n : cut;
  const text = rounded.toString().padStart(decimals + 1, "0");
  const fraction = text.slice(-decimals).replace(/0+$/, "");
  return `${text.slice(0, -decimals)}${fraction && `.${fraction}`} %`;
}
