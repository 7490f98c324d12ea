import type { FormColumn } from "./canonical-form.ts";
import type { RowBytes } from "./row-bytes.ts";
import type { RecordCells } from "./sqlite-file/record.ts";
import { numericForm } from "./stored-numeric.ts";
import { wholeAt } from "./stored-whole.ts";

/**
 * Writes a stored value straight from the file's bytes into canonical ones. False, and nothing written, where that is
 * not as simple: then the value has to be looked at with all its rules.
 */
export type StoredForm = (cells: RecordCells, at: number, type: number, row: RowBytes) => boolean;

/**
 * The quick way for the values that a column of that type mostly holds; undefined where there is none.
 * @param real whether the source column's affinity is REAL: a whole number in it is a real all the same
 * @param moved hears how far rounding to the declared scale moved a value
 */
export function storedForm(
  column: FormColumn,
  real: boolean,
  moved: (distance: number) => void,
): StoredForm | undefined {
  const { type } = column;
  switch (type.kind) {
    case "text":
      return textForm(type.length ?? Number.MAX_SAFE_INTEGER);
    case "float8":
      return doubleForm;
    case "bool":
      return real ? undefined : booleanForm;
    case "int2":
      return real ? undefined : smallForm(2, 32_768);
    case "int4":
      return real ? undefined : smallForm(4, 2_147_483_648);
    case "int8":
      return real ? undefined : longForm;
    case "numeric":
      if (type.precision === null || type.scale === null) return undefined;
      return numericForm(type.precision, type.scale, moved);
    case "date":
      return dateForm;
    case "timestamp":
    case "timestamptz":
      return timestampForm(10 ** (6 - type.digits));
    case "bytea":
      return blobForm;
    default:
      return undefined;
  }
}

/** Texts of ASCII without NUL, four bytes at a time; others are checked as a whole. */
function textForm(most: number): StoredForm {
  return (cells, at, type, row) => {
    if (type < 13 || type % 2 === 0) return false;
    const length = (type - 13) >>> 1;
    if (length > most) return false;
    row.reserve(8 + length);
    const { view } = cells;
    const out = row.view;
    const start = row.at + 4;
    const end = length & ~3;
    let odd = 0;
    for (let i = 0; i < end; i += 4) {
      const word = view.getInt32(at + i);
      odd |= word | (word - 0x01010101);
      out.setInt32(start + i, word);
    }
    for (let i = end; i < length; i += 1) {
      const byte = view.getUint8(at + i);
      odd |= byte === 0 ? 0x80 : byte;
      out.setUint8(start + i, byte);
    }
    if ((odd & 0x80808080) !== 0) return false;
    out.setInt32(row.at, length);
    row.at = start + length;
    return true;
  };
}

const doubleForm: StoredForm = (cells, at, type, row) => {
  if (type === 7) {
    const high = cells.view.getInt32(at);
    if ((high & 0x7ff00000) === 0x7ff00000) return false;
    row.putLong(high, cells.view.getInt32(at + 4));
    return true;
  }
  if (type === 0 || type > 9 || type === 6) return false;
  row.reserve(12);
  row.view.setInt32(row.at, 8);
  row.view.setFloat64(row.at + 4, wholeAt(cells, at, type));
  row.at += 12;
  return true;
};

const longForm: StoredForm = (cells, at, type, row) => {
  if (type === 0 || type === 7 || type > 9) return false;
  const { view } = cells;
  if (type === 6) row.putLong(view.getInt32(at), view.getInt32(at + 4));
  else if (type === 5) row.putLong(view.getInt16(at), view.getInt32(at + 2));
  else {
    const whole = wholeAt(cells, at, type);
    row.putLong(whole >> 31, whole);
  }
  return true;
};

function smallForm(bytes: 2 | 4, limit: number): StoredForm {
  return (cells, at, type, row) => {
    if (type === 0 || type > 9 || type === 6 || type === 7) return false;
    const whole = wholeAt(cells, at, type);
    if (whole < -limit || whole >= limit) return false;
    row.reserve(8);
    row.view.setInt32(row.at, bytes);
    if (bytes === 4) row.view.setInt32(row.at + 4, whole);
    else row.view.setInt16(row.at + 4, whole);
    row.at += 4 + bytes;
    return true;
  };
}

const booleanForm: StoredForm = (cells, at, type, row) => {
  const whole = type === 1 ? cells.view.getInt8(at) : type - 8;
  if (whole !== 0 && whole !== 1) return false;
  row.putByte(whole);
  return true;
};

const blobForm: StoredForm = (cells, at, type, row) => {
  if (type < 12 || type % 2 === 1) return false;
  row.putBytes(cells.bytes.subarray(at, at + ((type - 12) >>> 1)));
  return true;
};

/** `YYYY-MM-DD`, as a text of ten bytes. */
const dateForm: StoredForm = (cells, at, type, row) => {
  if (type !== 33) return false;
  const days = daysAt(cells.view, at);
  if (Number.isNaN(days)) return false;
  row.reserve(8);
  row.view.setInt32(row.at, 4);
  row.view.setInt32(row.at + 4, days);
  row.at += 8;
  return true;
};

/** `YYYY-MM-DD`, then nothing, or `HH:MM:SS` and up to six digits of a fraction, without an offset. */
function timestampForm(unit: number): StoredForm {
  const last = new DataView(new ArrayBuffer(26));
  let lastLength = 0;
  let lastHigh = 0;
  let lastLow = 0;
  return (cells, at, type, row) => {
    const length = (type - 13) >>> 1;
    if (type % 2 === 0 || type < 33 || length > 26 || length === 20 || (length > 10 && length < 19))
      return false;
    const { view } = cells;
    // Rows written together bear the same time.
    if (length === lastLength && isSame(view, at, last, length)) {
      row.putLong(lastHigh, lastLow);
      return true;
    }
    const days = daysAt(view, at);
    let seconds = 0;
    let micros = 0;
    if (length > 10) {
      const gap = view.getUint8(at + 10);
      if (
        (gap !== 0x20 && gap !== 0x54) ||
        view.getUint8(at + 13) !== 0x3a ||
        view.getUint8(at + 16) !== 0x3a
      ) {
        return false;
      }
      const hour = twoDigits(view, at + 11);
      const minute = twoDigits(view, at + 14);
      const second = twoDigits(view, at + 17);
      if (!(hour < 24 && minute < 60 && second < 60)) return false;
      seconds = (hour * 60 + minute) * 60 + second;
    }
    if (length > 20) {
      if (view.getUint8(at + 19) !== 0x2e) return false;
      let place = 100_000;
      for (let i = at + 20; i < at + length; i += 1) {
        const digit = view.getUint8(i) - 48;
        if (digit < 0 || digit > 9) return false;
        micros += digit * place;
        place /= 10;
      }
    }
    // Beyond these, microseconds are no longer exact in a double.
    if (!(days > -100_000 && days < 100_000) || micros % unit !== 0) return false;
    const exact = (days * 86_400 + seconds) * 1e6 + micros;
    lastHigh = Math.floor(exact / 2 ** 32);
    lastLow = (exact - lastHigh * 2 ** 32) | 0;
    lastLength = length;
    for (let i = 0; i < length; i += 1) last.setUint8(i, view.getUint8(at + i));
    row.putLong(lastHigh, lastLow);
    return true;
  };
}

/** Compares from the end, where times differ first, four bytes at once; there are at least ten. */
function isSame(view: DataView, at: number, last: DataView, length: number): boolean {
  for (let i = length - 4; i > 0; i -= 4) if (view.getInt32(at + i) !== last.getInt32(i)) return false;
  return view.getInt32(at) === last.getInt32(0);
}

/** Days since 2000 of the ten bytes at `at`; NaN for what is no day of the calendar. */
function daysAt(view: DataView, at: number): number {
  const year = twoDigits(view, at) * 100 + twoDigits(view, at + 2);
  const month = twoDigits(view, at + 5);
  const day = twoDigits(view, at + 8);
  if (view.getUint8(at + 4) !== 0x2d || view.getUint8(at + 7) !== 0x2d) return Number.NaN;
  if (!(year > 0 && month > 0 && month < 13 && day > 0)) return Number.NaN;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  const start = daysBefore[month - 1] as number;
  const length = (daysBefore[month] as number) - start + (month === 2 ? leap : 0);
  if (day > length) return Number.NaN;
  const past = year - 1;
  const leaps = (past >> 2) - ((past / 100) | 0) + ((past / 400) | 0);
  return past * 365 + leaps + start + (month > 2 ? leap : 0) + day - 1 - daysBefore2000;
}

const daysBefore = Int32Array.of(0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365);
const daysBefore2000 = 1999 * 365 + 499 - 19 + 4;

/** Two decimal digits; NaN for anything else. */
function twoDigits(view: DataView, at: number): number {
  const tens = view.getUint8(at) - 48;
  const ones = view.getUint8(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
