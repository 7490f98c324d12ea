import { quoteIdentifier } from "../identifier.ts";
import type { TargetType } from "../target-table.ts";
import { asDouble, asInteger, asSingle, decimalText, doubleText, singleText } from "./canonical-number.ts";
import { dateText, timestampText } from "./canonical-time.ts";
import { cut, type SourceValue } from "./source-value.ts";

/** Stands for NULL in a row text; no escaped text is equal to it. */
export const nullField = "\\N";

/** Starts the field of a source value that its target type cannot hold; nothing in a target is equal to it. */
const unfitMark = "\\X";

/**
 * Type of the source value -> its field in the row text, as docs/validation.md lays it down. This is the
 * validator's own reading of the source: it shares no code with what wrote the target.
 */
export type SourceForm = (value: Exclude<SourceValue, null>) => string;

/** How the source's values of one target type are written into a row text. */
export function sourceForm(type: TargetType): SourceForm {
  const text = textOf(type);
  return (value) => {
    const canonical = text(value);
    return canonical === undefined ? unfitField(value) : canonical;
  };
}

/** The SQL expression that writes a target column into a row text; the session's TimeZone is UTC, DateStyle ISO. */
export function targetForm(column: string, type: TargetType): string {
  return `coalesce(${canonicalSql(quoteIdentifier(column), type)}, '${nullField}')`;
}

/** The field of a value that cannot be what the target's column holds. */
export function unfitField(value: Exclude<SourceValue, null>): string {
  const text = Buffer.isBuffer(value) ? value.toString("hex") : String(value);
  return `${unfitMark}${typeof value}:${escaped(cut(text))}`;
}

/** Whether a field stands for a value that its target type cannot hold. */
export function isUnfit(field: string): boolean {
  return field.startsWith(unfitMark);
}

/** Makes a text safe between the bars of a row text. */
export function escaped(text: string): string {
  return text.includes("\\") || text.includes("|")
    ? text.replaceAll("\\", "\\\\").replaceAll("|", "\\p")
    : text;
}

function textOf(type: TargetType): (value: Exclude<SourceValue, null>) => string | undefined {
  switch (type.kind) {
    case "text":
      return (value) => (typeof value === "string" && !value.includes("\0") ? escaped(value) : undefined);
    case "json":
    case "jsonb":
      return (value) => mapped(jsonSource(value), escaped);
    case "bool":
      return booleanText;
    case "int2":
      return (value) => asInteger(value, 2)?.toString();
    case "int4":
      return (value) => asInteger(value, 4)?.toString();
    case "int8":
      return (value) => asInteger(value, 8)?.toString();
    case "float4":
      return (value) => mapped(asSingle(value), singleText);
    case "float8":
      return (value) => mapped(asDouble(value), doubleText);
    case "numeric":
      return (value) => decimalText(value, type.scale);
    case "date":
      return remembered(dateText);
    case "timestamp":
      return remembered((text) => timestampText(text, type.digits));
    case "timestamptz":
      return remembered((text) => mapped(timestampText(text, type.digits), (utc) => `${utc}+00`));
    case "uuid":
      return uuidText;
    case "bytea":
      return (value) => (Buffer.isBuffer(value) ? value.toString("hex") : undefined);
  }
}

function canonicalSql(column: string, type: TargetType): string {
  switch (type.kind) {
    case "text":
    case "json":
    case "jsonb":
      return `replace(replace(${column}::text, '\\', '\\\\'), '|', '\\p')`;
    case "float4":
    case "float8":
      return `CASE WHEN ${column} = 'NaN' THEN 'NaN' ELSE encode(${type.kind}send(${column}), 'hex') END`;
    case "numeric":
      return type.scale === null ? `trim_scale(${column})::text` : `${column}::text`;
    case "bytea":
      return `encode(${column}, 'hex')`;
    default:
      return `${column}::text`;
  }
}

function mapped<T>(value: T | undefined, text: (value: T) => string): string | undefined {
  return value === undefined ? undefined : text(value);
}

/** The JSON text of a value: SQLite turns a bare number in a JSON column into a number. Undefined for a blob. */
export function jsonSource(value: Exclude<SourceValue, null>): string | undefined {
  if (typeof value === "string") return value.includes("\0") ? undefined : value;
  if (Buffer.isBuffer(value)) return undefined;
  return Object.is(value, -0) ? "-0" : String(value);
}

function booleanText(value: Exclude<SourceValue, null>): string | undefined {
  if (value === 0n) return "false";
  return value === 1n ? "true" : undefined;
}

const uuidPattern = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i;

function uuidText(value: Exclude<SourceValue, null>): string | undefined {
  const match = uuidPattern.exec(Buffer.isBuffer(value) ? value.toString("hex") : String(value));
  return match?.slice(1).join("-").toLowerCase();
}

/** Times repeat from row to row (one day's prices, one import's created_at): the last answer is kept. */
function remembered(read: (text: string) => string | undefined) {
  let last: string | undefined;
  let answer: string | undefined;
  return (value: Exclude<SourceValue, null>) => {
    if (typeof value !== "string") return undefined;
    if (value === last) return answer;
    last = value;
    answer = read(value);
    return answer;
  };
}
