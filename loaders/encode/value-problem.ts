/** A value as better-sqlite3 gives it with safe integers on. */
export type SourceValue = null | bigint | number | string | Buffer;

/** A source value that its target column cannot hold. Issue a reject or stop: the caller decides. */
export class ValueProblem extends Error {
  readonly reason: string;
  readonly value: SourceValue;
  /** Filled in by the row encoder. */
  column = "";

  constructor(value: SourceValue, reason: string) {
    super(reason);
    this.name = "ValueProblem";
    this.value = value;
    this.reason = reason;
  }
}

/** A value as a message shows it: its SQLite class and at most 60 characters of it. */
export function describeValue(value: SourceValue): string {
  if (value === null) return "NULL";
  if (typeof value === "bigint") return `integer ${value}`;
  if (typeof value === "number") return `real ${Object.is(value, -0) ? "-0" : value}`;
  if (typeof value === "string") return `text ${JSON.stringify(shortened(value))}`;
  const hex = value.toString("hex", 0, 30);
  return `blob x'${hex}${value.length > 30 ? "…" : ""}' (${value.length} bytes)`;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The problem of a value whose SQLite class the target's type does not accept. */
export function wrongClass(value: SourceValue, type: string): ValueProblem {
  return new ValueProblem(value, `${describeValue(value)} is no ${type}`);
}
