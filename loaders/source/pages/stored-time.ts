import type { CopyBuffer } from "../../encode/copy-buffer.ts";
import type { StoredRecord } from "./stored-record.ts";

/** Days from 0000-03-01 to 2000-01-01, where PostgreSQL counts from. */
const epochDays = 730425;
const monthDays = Uint8Array.of(31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);
const scales = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/** The text that a column held last, and what became of it: rows written together bear the same time. */
interface LastTime {
  text: DataView;
  length: number;
  high: number;
  low: number;
}

/**
 * Returns a writer of stored texts of the forms "2024-01-31", "2024-01-31 10:00:00" and "2024-01-31T10:00:00.123456" as
 * timestamps, which count as UTC; it gives false, with nothing written, for anything else.
 */
export function storedTimeWriter(column: number): (record: StoredRecord, out: CopyBuffer) => boolean {
  const last: LastTime = { text: new DataView(new ArrayBuffer(26)), length: 0, high: 0, low: 0 };
  return (record, out) => {
    const type = record.serials[column] as number;
    const length = record.sizeOf(column);
    if (type < 13 || type % 2 === 0) return false;
    if (length !== 10 && length !== 19 && (length < 21 || length > 26)) return false;
    const at = record.offsets[column] as number;
    if ((length !== last.length || !isSame(record.view, at, last)) && !parse(record, at, length, last)) {
      return false;
    }
    out.reserve(12);
    out.putInt32(8);
    out.putInt32(last.high);
    out.putInt32(last.low);
    return true;
  };
}

/** Compares from the end, where times differ first, four bytes at once; there are at least ten. */
function isSame(view: DataView, at: number, { text, length }: LastTime): boolean {
  for (let i = length - 4; i > 0; i -= 4) if (view.getInt32(at + i) !== text.getInt32(i)) return false;
  return view.getInt32(at) === text.getInt32(0);
}

/** Reads a text into `last`; false for one that is no time. */
function parse(record: StoredRecord, at: number, length: number, last: LastTime): boolean {
  const { bytes } = record;
  if (bytes[at + 4] !== 45 || bytes[at + 7] !== 45) return false;
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return false;
  if (!(day <= (monthDays[month - 1] as number)) || (month === 2 && day === 29 && !isLeap(year)))
    return false;
  let micros = 0;
  if (length > 10) {
    const gap = bytes[at + 10];
    if ((gap !== 32 && gap !== 84) || bytes[at + 13] !== 58 || bytes[at + 16] !== 58) return false;
    const hour = twoDigits(bytes, at + 11);
    const minute = twoDigits(bytes, at + 14);
    const second = twoDigits(bytes, at + 17);
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return false;
    micros = (hour * 3600 + minute * 60 + second) * 1e6;
    if (length > 19) {
      if (bytes[at + 19] !== 46) return false;
      let fraction = 0;
      for (let i = 20; i < length; i += 1) {
        const digit = (bytes[at + i] as number) - 48;
        if (digit < 0 || digit > 9) return false;
        fraction = fraction * 10 + digit;
      }
      micros += fraction * (scales[length - 20] as number);
    }
  }
  const total = daysSince2000(year, month, day) * 86_400_000_000 + micros;
  if (!Number.isSafeInteger(total)) return false;
  last.high = Math.floor(total / 2 ** 32);
  last.low = (total - last.high * 2 ** 32) | 0;
  last.length = length;
  for (let i = 0; i < length; i += 1) last.text.setUint8(i, bytes[at + i] as number);
  return true;
}

/** Two decimal digits, NaN for anything else. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] as number) - 48;
  const ones = (bytes[at + 1] as number) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Years are counted from March, so that the leap day ends one. */
function daysSince2000(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const ofYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + day - 1;
  return y * 365 + (y >> 2) - ((y / 100) | 0) + ((y / 400) | 0) + ofYear - epochDays;
}
