import { type SourceValue, ValueProblem } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "./open-source.ts";
import type { SourceRow, TableRead } from "./table-reader.ts";

/**
 * Returns a check for rows with U+FFFD in a text. JavaScript reads bytes that are no UTF-8 as that character; here
 * the bytes themselves are fetched and compared, and a difference is a ValueProblem. A view has no key to fetch by,
 * so it is taken as it is read.
 */
export function textCheck(source: Source, read: TableRead): (row: SourceRow) => void {
  const key = read.rowid !== null ? [read.rowid] : read.primaryKey.map(quoteIdentifier);
  if (key.length === 0) return () => {};
  const columns = read.columns.map((name) => `CAST(${quoteIdentifier(name)} AS BLOB)`).join(", ");
  const fetch = source
    .prepare(
      `SELECT ${columns} FROM ${quoteIdentifier(read.table)} WHERE ${key.map((name) => `${name} IS ?`).join(" AND ")}`,
    )
    .raw(true);
  const encoding = source.pragma("encoding", { simple: true }) as string;
  return (row) => {
    const parameters =
      read.rowid !== null ? [row[0]] : read.primaryKey.map((name) => row[1 + read.columns.indexOf(name)]);
    const stored = fetch.get(...parameters) as Buffer[] | undefined;
    if (stored === undefined) return;
    for (const [i, name] of read.columns.entries()) {
      const value = row[i + 1] as SourceValue;
      if (typeof value !== "string" || !value.includes("\uFFFD")) continue;
      if (bytesOf(value, encoding).equals(stored[i] ?? Buffer.alloc(0))) continue;
      const problem = new ValueProblem(value, `text with bytes that are no ${encoding}`);
      problem.column = name;
      throw problem;
    }
  };
}

function bytesOf(text: string, encoding: string): Buffer {
  if (encoding === "UTF-8") return Buffer.from(text);
  const bytes = Buffer.from(text, "utf16le");
  return encoding === "UTF-16be" ? bytes.swap16() : bytes;
}
