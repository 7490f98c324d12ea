import { isUtf8 } from "node:buffer";

/** A text of the source whose bytes are none in the database's encoding. No column of a target can hold it. */
export class BrokenText {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** A value as SQLite stores it; integers are bigint so that none loses a digit. */
export type SourceValue = null | bigint | number | string | Buffer | BrokenText;

/** A value that may fit a column. */
export type WholeValue = Exclude<SourceValue, null | BrokenText>;

const longestShown = 60;

/** The text that bytes in UTF-8 stand for. */
export function textOf(bytes: Buffer): string | BrokenText {
  return isUtf8(bytes) ? bytes.toString() : new BrokenText(bytes);
}

/** A text no longer than a note's line allows, and how long it was; control characters made visible. */
export function cut(text: string): string {
  const visible = JSON.stringify(text.slice(0, longestShown)).slice(1, -1).replaceAll('\\"', '"');
  return text.length > longestShown ? `${visible}… (${text.length} characters)` : visible;
}

/** A source value as a person reads it; null for NULL. */
export function valueText(value: SourceValue): string | null {
  if (value === null) return null;
  if (value instanceof BrokenText) return value.bytes.toString();
  if (Buffer.isBuffer(value)) return `\\x${value.toString("hex")}`;
  return Object.is(value, -0) ? "-0" : String(value);
}
