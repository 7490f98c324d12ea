import type { SourceValue } from "../encode/value-problem.ts";
import type { Part } from "../load-result.ts";

/** Writes a remembered value so that text, JSON and PostgreSQL's text can carry it without loss. */
export function writeWatermark(value: SourceValue): string | undefined {
  if (value === null || Buffer.isBuffer(value)) return undefined;
  if (typeof value === "bigint") return `i:${value}`;
  return typeof value === "number" ? `r:${value}` : `t:${value}`;
}

/** Reads it back; null for none. */
export function readWatermark(text: string | undefined): SourceValue {
  if (text === undefined) return null;
  const value = text.slice(2);
  return text.startsWith("i:") ? BigInt(value) : text.startsWith("r:") ? Number(value) : value;
}

/** The greatest of the parts' remembered values, in SQLite's order: numbers before text. */
export function lastWatermark(parts: Part[]): SourceValue {
  let last: SourceValue = null;
  for (const part of parts) {
    const value = readWatermark(part.upTo);
    if (value !== null && (last === null || isGreater(value, last))) last = value;
  }
  return last;
}

function isGreater(a: SourceValue, b: SourceValue): boolean {
  if (typeof a === "string" && typeof b === "string")
    return Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;
  if (typeof a === "string" || typeof b === "string") return typeof a === "string";
  return (a as number) > (b as number);
}
