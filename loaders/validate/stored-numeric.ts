import { putNumericHeader, signs } from "./canonical-numeric.ts";
import type { StoredForm } from "./stored-form.ts";
import { wholeAt } from "./stored-whole.ts";

/** Below it, a scaled value is off by less than 0.001, whatever its shortest digits are. */
const mostScaled = 2 ** 40;
const mostScale = 9;

/**
 * Numbers in a column of numeric(precision, scale), rounded half away from zero. Values so near to a half that only
 * their shortest digits can tell are left to the careful way, as are large ones.
 * @param moved hears how far the rounding moved a value
 */
export function numericForm(
  precision: number,
  scale: number,
  moved: (distance: number) => void,
): StoredForm | undefined {
  if (scale < 0 || scale > mostScale) return undefined;
  const unit = 10 ** scale;
  const most = 10 ** Math.min(precision, 15);
  /** Fills the last group of four digits. */
  const fill = 10 ** ((4 - (scale % 4)) % 4);
  const fractionGroups = Math.ceil(scale / 4);
  const groups = new Int16Array(5);
  return (cells, at, type, row) => {
    if (type === 0 || type > 9 || type === 6) return false;
    const value = type === 7 ? cells.view.getFloat64(at) : wholeAt(cells, at, type);
    const scaled = Math.abs(value) * unit;
    if (!(scaled < mostScaled)) return false;
    const whole = Math.floor(scaled);
    const rest = scaled - whole;
    if (rest > 0.499 && rest < 0.501) return false;
    const digits = rest > 0.5 ? whole + 1 : whole;
    if (digits >= most) return false;
    let count = 0;
    let dropped = 0;
    for (let left = digits * fill; left > 0; ) {
      const group = left % 10_000;
      left = (left - group) / 10_000;
      if (group === 0 && count === 0) dropped += 1;
      else {
        groups[count] = group;
        count += 1;
      }
    }
    const weight = count === 0 ? 0 : count + dropped - 1 - fractionGroups;
    putNumericHeader(row, count, weight, value < 0 && count > 0 ? signs.minus : signs.plus, scale);
    for (let group = count - 1; group >= 0; group -= 1) {
      row.view.setInt16(row.at, groups[group] as number);
      row.at += 2;
    }
    const distance = Math.abs(Math.abs(value) - digits / unit);
    if (distance > 0) moved(distance);
    return true;
  };
}
