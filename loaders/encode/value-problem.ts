/** A value as better-sqlite3 gives it with safe integers on. */
export type SourceValue = null | bigint | number | string | Buffer;

/** A source value that its target column cannot hold; the row it is in becomes a reject. */
export class ValueProblem extends Error {
  /** What is wrong with it, the value left out, so that equal problems have equal reasons: `is no timestamptz`. */
  readonly reason: string;
  readonly value: SourceValue;
  /** Target column; filled in by the row encoder. */
  column = "";

  constructor(value: SourceValue, reason: string) {
    super(`${describeValue(value)} ${reason}`);
    this.name = "ValueProblem";
    this.value = value;
    this.reason = reason;
  }
}

/** A value as a message shows it: its SQLite class and at most `most` characters of it. */
export function describeValue(value: SourceValue, most = 60): string {
  if (value === null) return "NULL";
  if (typeof value === "bigint") return `integer ${value}`;
  if (typeof value === "number") return `real ${Object.is(value, -0) ? "-0" : value}`;
  if (typeof value === "string") return `text ${quoted(value, most)}`;
  const bytes = Math.floor(most / 2);
  const hex = value.toString("hex", 0, bytes);
  return `blob x'${hex}${value.length > bytes ? "…" : ""}' (${value.length} bytes)`;
}

/** JSON's quotes and escapes, so that a NUL can be read and stored; half a surrogate pair is never left at the cut. */
function quoted(text: string, most: number): string {
  if (text.length <= most) return JSON.stringify(text);
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return JSON.stringify(`${text.slice(0, end)}…`);
}

/** The problem of a value whose SQLite class, or whose text, the target's type does not accept. */
export function wrongClass(value: SourceValue, type: string): ValueProblem {
  return new ValueProblem(value, `is no ${type}`);
}
