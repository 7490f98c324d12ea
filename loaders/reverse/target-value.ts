import type { TargetType } from "../target-table.ts";

/** A moment: days since 1970-01-01 and microseconds of that day, UTC. */
export interface Moment {
  days: number;
  micros: number;
}

/**
 * A value of the target before it is spelled for the source: text, json, jsonb, numeric and uuid as texts, whole numbers
 * as bigint, reals as number, dates and timestamps as moments. `infinity` and `-infinity` of times are texts.
 */
export type TargetValue = string | boolean | bigint | number | Moment | Buffer;

/** Reads one field of a binary COPY, without its length. */
export type Decode = (bytes: Buffer, view: DataView, start: number, end: number) => TargetValue;

/** Days from 1970-01-01 to 2000-01-01, where PostgreSQL counts from. */
const epochDays = 10957;
export const microsADay = 86_400_000_000;

/** How a type's fields are read; null for a type that the server turns into text. */
export function decoderOf(type: TargetType | null): Decode {
  switch (type?.kind) {
    case "bool":
      return (bytes, _, start) => bytes[start] === 1;
    case "int2":
      return (_, view, start) => BigInt(view.getInt16(start));
    case "int4":
      return (_, view, start) => BigInt(view.getInt32(start));
    case "int8":
      return (_, view, start) => view.getBigInt64(start);
    case "float4":
      return (_, view, start) => view.getFloat32(start);
    case "float8":
      return (_, view, start) => view.getFloat64(start);
    case "numeric":
      return (_, view, start) => decimal(view, start);
    case "date":
      return (_, view, start) => day(view.getInt32(start));
    case "timestamp":
    case "timestamptz":
      return (_, view, start) => moment(view.getInt32(start), view.getUint32(start + 4));
    case "uuid":
      return (bytes, _, start, end) =>
        bytes.toString("hex", start, end).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    case "jsonb":
      // A version comes first.
      return (bytes, _, start, end) => bytes.toString("utf8", start + 1, end);
    case "bytea":
      return (bytes, _, start, end) => Buffer.from(bytes.subarray(start, end));
    default:
      return (bytes, _, start, end) => bytes.toString("utf8", start, end);
  }
}

function day(days: number): TargetValue {
  if (days === 0x7fffffff) return "infinity";
  if (days === -0x80000000) return "-infinity";
  return { days: days + epochDays, micros: 0 };
}

function moment(high: number, low: number): TargetValue {
  if (high === 0x7fffffff && low === 0xffffffff) return "infinity";
  if (high === -0x80000000 && low === 0) return "-infinity";
  // Up to here a double counts microseconds exactly.
  if (high >= -0x200000 && high < 0x200000) {
    const total = high * 2 ** 32 + low;
    const days = Math.floor(total / microsADay);
    return { days: days + epochDays, micros: total - days * microsADay };
  }
  const total = (BigInt(high) << 32n) | BigInt(low);
  const ofDay = BigInt(microsADay);
  const rest = ((total % ofDay) + ofDay) % ofDay;
  return { days: Number((total - rest) / ofDay) + epochDays, micros: Number(rest) };
}

/** PostgreSQL's numeric as it writes it itself. */
function decimal(view: DataView, start: number): string {
  const count = view.getInt16(start);
  const weight = view.getInt16(start + 2);
  const sign = view.getUint16(start + 4);
  const scale = view.getInt16(start + 6);
  if (sign === 0xc000) return "NaN";
  if (sign === 0xd000) return "Infinity";
  if (sign === 0xf000) return "-Infinity";
  const group = (place: number) => {
    const at = weight - place;
    const digits = at >= 0 && at < count ? view.getInt16(start + 8 + at * 2) : 0;
    return String(digits).padStart(4, "0");
  };
  let whole = "";
  for (let place = Math.max(weight, 0); place >= 0; place -= 1) whole += group(place);
  let fraction = "";
  for (let place = -1; fraction.length < scale; place -= 1) fraction += group(place);
  const minus = sign === 0x4000 ? "-" : "";
  const shown = whole.replace(/^0+(?=\d)/, "");
  return scale > 0 ? `${minus}${shown}.${fraction.slice(0, scale)}` : minus + shown;
}
