import type { Statement } from "better-sqlite3";
import { type SourceValue, ValueProblem } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "./open-source.ts";
import { placeOf, type SourceRow, type TableRead } from "./table-reader.ts";

/**
 * Returns a check for rows with U+FFFD in a text. JavaScript reads bytes that are no UTF-8 as that character, so SQLite
 * is asked whether the text it keeps is the one that was read; every column where it is not is a problem. A row is
 * found by its rowid or key, else by all its values.
 *
 * @param targets target column of each column read
 */
export function textCheck(source: Source, read: TableRead, targets: string[]) {
  const encoding = source.pragma("encoding", { simple: true }) as string;
  const places = (names: string[]) => names.map((name) => placeOf(read, name) + 1);
  const isKeyed = read.primaryKey.length > 0 && read.primaryKey.every((name) => placeOf(read, name) >= 0);
  const key = read.rowid !== null ? [0] : isKeyed ? places(read.primaryKey) : null;
  const statements = new Map<string, Statement>();
  const prepared = (sql: string) => {
    const known = statements.get(sql) ?? source.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const nameOf = (place: number) =>
    place === 0 ? (read.rowid as string) : (read.columns[place - 1]?.expression ?? "");

  return (row: SourceRow): ValueProblem[] => {
    const suspects = read.columns.flatMap((_, i) => {
      const value = row[i + 1] as SourceValue;
      return typeof value === "string" && value.includes("\uFFFD") ? [i + 1] : [];
    });
    return suspects.flatMap((suspect) => {
      const others = key ?? read.columns.map((_, i) => i + 1);
      const kept = others.filter((place) => !suspects.includes(place));
      const conditions = [
        ...kept.map((place) => `${nameOf(place)} IS ?`),
        `CAST(${nameOf(suspect)} AS BLOB) IS CAST(? AS BLOB)`,
      ];
      const sql = `SELECT 1 FROM ${quoteIdentifier(read.table)} WHERE ${conditions.join(" AND ")} LIMIT 1`;
      const values = [...kept, suspect].map((place) => row[place] as SourceValue);
      if (prepared(sql).get(...values) !== undefined) return [];
      const problem = new ValueProblem(row[suspect] as SourceValue, `holds bytes that are no ${encoding}`);
      problem.column = targets[suspect - 1] ?? "";
      return [problem];
    });
  };
}
