import type { ResolvedColumn } from "../resolve-table.ts";
import type { TargetType } from "../target-table.ts";
import { asBoolean, asDouble, asInteger, asSingle } from "./canonical-number.ts";
import { asDecimal, decimalNumber, putDecimal } from "./canonical-numeric.ts";
import { asDate, asTimestamp } from "./canonical-time.ts";
import type { RowBytes } from "./row-bytes.ts";
import { BrokenText, type SourceValue, type WholeValue as Value } from "./source-value.ts";

/** What the canonical form has to know of a column. Plain data: it crosses threads. */
export type FormColumn = Pick<
  ResolvedColumn,
  "source" | "target" | "type" | "typeText" | "nullable" | "reading" | "emptyIsNull"
>;

/** Writes a value as a field in canonical bytes; false, and nothing written, where its type cannot hold it. */
export type Form = (value: SourceValue, row: RowBytes) => boolean;

/**
 * Source value -> the bytes that PostgreSQL's send function gives for it, as docs/validation.md lays it down. This is
 * the validator's own reading of the source: it shares no code with what wrote the target. A jsonb's value is the text
 * that PostgreSQL itself wrote after its cast.
 * @param moved hears how far rounding to the declared scale moved a value
 */
export function canonicalForm(column: FormColumn, moved: (distance: number) => void = () => {}): Form {
  const put = writerOf(column, moved);
  const emptyIsNull = column.emptyIsNull && column.type.kind !== "text";
  return (value, row) => {
    if (value === null || (emptyIsNull && value === "")) {
      if (!column.nullable) return false;
      row.putNull();
      return true;
    }
    return !(value instanceof BrokenText) && put(value, row);
  };
}

function writerOf(
  { type, reading }: FormColumn,
  moved: (distance: number) => void,
): (value: Value, row: RowBytes) => boolean {
  switch (type.kind) {
    case "text":
      return written(
        (value) => (isText(value, type.length) ? value : undefined),
        (text, row) => row.putText(text),
      );
    case "json":
      return written(jsonOf, (text, row) => row.putText(text));
    case "jsonb":
      return written(jsonbBytes, (bytes, row) => row.putBytes(bytes));
    case "bool":
      return written(asBoolean, (truth, row) => row.putByte(truth ? 1 : 0));
    case "int2":
      return written(
        (value) => asInteger(value, 2),
        (whole, row) => row.putWhole(whole, 2),
      );
    case "int4":
      return written(
        (value) => asInteger(value, 4),
        (whole, row) => row.putWhole(whole, 4),
      );
    case "int8":
      return written(
        (value) => asInteger(value, 8),
        (whole, row) => row.putWhole(whole, 8),
      );
    case "float4":
      return written(asSingle, (single, row) => row.putSingle(single));
    case "float8":
      return written(asDouble, (double, row) => row.putDouble(double));
    case "numeric":
      return (value, row) => {
        const decimal = asDecimal(value, type);
        if (decimal === undefined) return false;
        putDecimal(row, decimal, type.scale);
        if (typeof value === "number" && typeof decimal === "object") {
          const distance = Math.abs(value - decimalNumber(decimal));
          if (distance > 0) moved(distance);
        }
        return true;
      };
    case "date":
      return written(
        (value) => asDate(value, { reading, digits: 0 }),
        (days, row) => row.putWhole(days, 4),
      );
    case "timestamp":
    case "timestamptz":
      return written(
        (value) => asTimestamp(value, { reading, digits: type.digits }),
        (micros, row) => row.putWhole(micros, 8),
      );
    case "uuid":
      return written(uuidBytes, (bytes, row) => row.putBytes(bytes));
    case "bytea":
      return written(
        (value) => (Buffer.isBuffer(value) ? value : undefined),
        (bytes, row) => row.putBytes(bytes),
      );
  }
}

function written<T>(read: (value: Value) => T | undefined, write: (value: T, row: RowBytes) => void) {
  return (value: Value, row: RowBytes): boolean => {
    const found = read(value);
    if (found === undefined) return false;
    write(found, row);
    return true;
  };
}

function isText(value: Value, length: number | null): value is string {
  if (typeof value !== "string" || value.includes("\0")) return false;
  return length === null || value.length <= length || [...value].length <= length;
}

/** The JSON text of a value: SQLite turns a bare number in a JSON column into a number. Undefined where none can be. */
export function jsonSource(value: Value): string | undefined {
  if (typeof value === "string") return value.includes("\0") ? undefined : value;
  if (Buffer.isBuffer(value)) return undefined;
  if (typeof value === "number" && !Number.isFinite(value)) return undefined;
  return Object.is(value, -0) ? "-0" : String(value);
}

function jsonOf(value: Value): string | undefined {
  const text = jsonSource(value);
  try {
    if (text !== undefined) JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

/** The version of jsonb's wire format, then the text. */
function jsonbBytes(value: Value): Buffer {
  return Buffer.from(`\u0001${value}`);
}

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

function uuidBytes(value: Value): Buffer | undefined {
  if (Buffer.isBuffer(value)) return value.length === 16 ? value : undefined;
  if (typeof value !== "string" || !uuidPattern.test(value)) return undefined;
  return Buffer.from(value.replaceAll("-", ""), "hex");
}

/** How a field of the target's own bytes is made canonical, where its type writes one value in several ways. */
export type Settle = (view: DataView, at: number) => void;

/** Null where the bytes are canonical as they come; `at` is where the field's length begins. */
export function settled(type: TargetType): Settle | null {
  switch (type.kind) {
    case "float4":
      return (view, at) => {
        if (view.getInt32(at) === 4 && Number.isNaN(view.getFloat32(at + 4)))
          view.setInt32(at + 4, 0x7fc00000);
      };
    case "float8":
      return (view, at) => {
        if (view.getInt32(at) !== 8 || (view.getInt32(at + 4) & 0x7ff00000) !== 0x7ff00000) return;
        if (Number.isNaN(view.getFloat64(at + 4))) view.setBigInt64(at + 4, 0x7ff8000000000000n);
      };
    case "numeric":
      if (type.scale !== null) return null;
      return (view, at) => {
        if (view.getInt32(at) >= 8) view.setInt16(at + 10, 0);
      };
    default:
      return null;
  }
}
