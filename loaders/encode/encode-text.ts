import type { CopyBuffer } from "./copy-buffer.ts";
import { type SourceValue, ValueProblem, wrongClass } from "./value-problem.ts";

const uuidText = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Text and varchar; `length` in characters, null for no limit. PostgreSQL's text cannot hold NUL. */
export function encodeText(length: number | null) {
  return (value: SourceValue, out: CopyBuffer): void => {
    if (typeof value !== "string") throw wrongClass(value, "text");
    if (value.includes("\0"))
      throw new ValueProblem(value, "holds an embedded NUL character, which PostgreSQL's text cannot");
    if (length !== null && value.length > length && characters(value) > length) {
      throw new ValueProblem(value, `is longer than varchar(${length})`);
    }
    out.putText(value);
  };
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** JSON: text that parses. SQLite turns a bare number in a JSON column into a number; it goes as such. */
export function encodeJson(kind: "json" | "jsonb") {
  return (value: SourceValue, out: CopyBuffer): void => {
    const text = jsonText(value, kind);
    if (kind === "json") {
      out.putText(text);
      return;
    }
    const start = out.at;
    out.reserve(5 + text.length * 3);
    if (text.includes("\uFFFD")) out.suspect = true;
    const written = out.bytes.write(text, start + 5);
    out.putInt32(written + 1);
    // The version of jsonb's wire format.
    out.bytes[start + 4] = 1;
    out.at = start + 5 + written;
  };
}

function jsonText(value: SourceValue, kind: "json" | "jsonb"): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value !== "string") throw wrongClass(value, kind);
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    throw new ValueProblem(value, "is no valid JSON");
  }
  if (value.includes("\\u") && /\\u(0000|d[89a-f][0-9a-f]{2})/i.test(value)) {
    // Written back, a lone surrogate and NUL are all that is left as such an escape (or an escaped backslash).
    const written = JSON.stringify(parsed).replaceAll("\\\\", "");
    if (kind === "jsonb" && /\\u(0000|d[89a-f][0-9a-f]{2})/i.test(written)) {
      throw new ValueProblem(value, "holds an escape that jsonb refuses (\\u0000 or half a pair)");
    }
  }
  return value;
}

/** 36 or 32 hexadecimal characters, or 16 bytes. */
export function encodeUuid(value: SourceValue, out: CopyBuffer): void {
  if (typeof value === "string" && uuidText.test(value)) {
    out.putBytes(Buffer.from(value.replaceAll("-", ""), "hex"));
  } else if (Buffer.isBuffer(value) && value.length === 16) {
    out.putBytes(value);
  } else {
    throw wrongClass(value, "uuid");
  }
}

/** Blobs as they are. */
export function encodeBytea(value: SourceValue, out: CopyBuffer): void {
  if (!Buffer.isBuffer(value)) throw wrongClass(value, "bytea");
  out.putBytes(value);
}
