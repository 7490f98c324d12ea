import { type EncodedColumn, rowProblems } from "../encode/row-encoder.ts";
import { describeValue, type SourceValue } from "../encode/value-problem.ts";
import type { RejectedRow } from "../reject.ts";
import type { Source } from "./open-source.ts";
import { placeOf, type SourceRow, type TableRead } from "./table-reader.ts";
import { textCheck } from "./text-check.ts";

/** Characters of a rejected value that are kept. */
const mostCharacters = 200;

/** Returns a function that makes a reject of a row, with every problem it has; null for a row that has none. */
export function rejectRow(source: Source, read: TableRead, columns: EncodedColumn[]) {
  const problemsOf = rowProblems(columns, 1);
  const targets = columns.map((column) => column.target);
  const check = textCheck(source, read, targets);
  return (row: SourceRow): RejectedRow | null => {
    const problems = problemsOf(row);
    const named = new Set(problems.map((problem) => problem.column));
    problems.push(...check(row).filter((problem) => !named.has(problem.column)));
    if (problems.length === 0) return null;
    return {
      rowid: read.rowid === null ? null : (row[0] as bigint),
      key: describeKey(read, row),
      values: problems.map(({ column, value, reason }) => ({
        column,
        value: describeValue(value, mostCharacters),
        reason,
      })),
    };
  };
}

function describeKey(read: TableRead, row: SourceRow): string {
  const key = read.primaryKey.filter((name) => placeOf(read, name) >= 0);
  if (key.length > 0) {
    return key
      .map((name) => `${name} ${describeValue(row[1 + placeOf(read, name)] as SourceValue)}`)
      .join(", ");
  }
  return row[0] === null ? "a row without key" : `rowid ${row[0]}`;
}
