import { isUtf8 } from "node:buffer";
import type { CopyBuffer } from "../../encode/copy-buffer.ts";
import { type EncodedColumn, encoderOf } from "../../encode/row-encoder.ts";
import { ValueProblem } from "../../encode/value-problem.ts";
import { type StoredRecord, serial } from "./stored-record.ts";
import { storedTimeWriter } from "./stored-time.ts";

/** Writes a stored value as a field of binary COPY, straight from the record's bytes. */
export type WriteField = (record: StoredRecord, out: CopyBuffer) => void;

const bounds = {
  int2: [-32768, 32767],
  int4: [-2147483648, 2147483647],
  int8: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
} as const;

/**
 * The writer of a column. What is common and needs no thought goes byte by byte; everything else becomes a value and
 * takes the way of every other value.
 *
 * @param at position among the stored values
 * @param real whether the column's affinity turns whole numbers into reals
 */
export function fieldWriter(column: EncodedColumn, at: number, real: boolean): WriteField {
  const careful = carefulWriter(column, at, real);
  const { type } = column;
  switch (type.kind) {
    case "text":
      return textWriter(at, type.length ?? Number.POSITIVE_INFINITY, careful);
    case "float8":
      return (record, out) => {
        const stored = record.serials[at];
        if (stored !== serial.real && !record.isShortInteger(at)) return careful(record, out);
        out.reserve(12);
        out.putInt32(8);
        out.putFloat64(
          stored === serial.real
            ? record.view.getFloat64(record.offsets[at] as number)
            : record.integerOf(at),
        );
      };
    case "int2":
    case "int4":
    case "int8":
      return wholeWriter(at, type.kind, careful);
    case "bool":
      if (real) return careful;
      return (record, out) => {
        const stored = record.serials[at];
        if (stored !== serial.zero && stored !== serial.one) return careful(record, out);
        out.reserve(5);
        out.putInt32(1);
        out.bytes[out.at++] = stored === serial.one ? 1 : 0;
      };
    case "timestamp":
    case "timestamptz":
      return type.digits < 6 ? careful : timeWriter(at, careful);
    default:
      return careful;
  }
}

function timeWriter(at: number, careful: WriteField): WriteField {
  const write = storedTimeWriter(at);
  return (record, out) => {
    if (!write(record, out)) careful(record, out);
  };
}

function carefulWriter(column: EncodedColumn, at: number, real: boolean): WriteField {
  const encode = encoderOf(column);
  return (record, out) => {
    const value = record.valueOf(at, real);
    if (value === null) return writeNull(column, out);
    if (typeof value === "string" && value.includes("\uFFFD")) {
      const start = record.offsets[at] as number;
      if (!isUtf8(record.bytes.subarray(start, start + record.sizeOf(at)))) {
        throw new ValueProblem(value, "text with bytes that are no UTF-8");
      }
    }
    encode(value, out);
    out.suspect = false;
  };
}

/** Writes NULL, where the target takes it. */
export function writeNull({ nullable }: EncodedColumn, out: CopyBuffer): void {
  if (!nullable) throw new ValueProblem(null, "is refused by the target's NOT NULL");
  out.reserve(4);
  out.putInt32(-1);
}

function wholeWriter(at: number, kind: keyof typeof bounds, careful: WriteField): WriteField {
  const [low, high] = bounds[kind];
  const size = kind === "int2" ? 2 : kind === "int4" ? 4 : 8;
  return (record, out) => {
    if (!record.isShortInteger(at)) return careful(record, out);
    const value = record.integerOf(at);
    if (value < low || value > high) return careful(record, out);
    out.reserve(12);
    out.putInt32(size);
    if (size === 2) return out.putInt16(value);
    if (size === 8) out.putInt32(Math.floor(value / 2 ** 32));
    out.putInt32(value | 0);
  };
}

/** ASCII is the same in UTF-8 and needs no more than a look at each byte. */
function textWriter(at: number, longest: number, careful: WriteField): WriteField {
  return (record, out) => {
    const type = record.serials[at] as number;
    const length = record.sizeOf(at);
    if (type < 13 || type % 2 === 0 || length > longest) return careful(record, out);
    out.reserve(4 + length);
    const from = record.bytes;
    const to = out.bytes;
    const start = record.offsets[at] as number;
    const target = out.at + 4;
    for (let i = 0; i < length; i += 1) {
      const byte = from[start + i] as number;
      if (byte === 0 || byte > 127) return careful(record, out);
      to[target + i] = byte;
    }
    out.putInt32(length);
    out.at = target + length;
  };
}
