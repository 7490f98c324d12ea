import { type EncodedColumn, rowProblems } from "../encode/row-encoder.ts";
import { describeValue, type SourceValue } from "../encode/value-problem.ts";
import type { RejectedRow, RejectedValue } from "../reject.ts";
import type { Source } from "./open-source.ts";
import { valuesId } from "./row-id.ts";
import { placeOf, type SourceRow, type TableRead } from "./table-reader.ts";
import { textCheck } from "./text-check.ts";

/** Characters of a rejected value that are kept. */
const mostCharacters = 200;

/**
 * Returns a function that makes a reject of a row, with every problem it has, and with what else stands in its way; null
 * for a row that has none.
 */
export function rejectRow(source: Source, read: TableRead, columns: EncodedColumn[]) {
  const problemsOf = rowProblems(columns, 1);
  const targets = columns.map((column) => column.target);
  const check = textCheck(source, read, targets);
  return (row: SourceRow, more: RejectedValue[] = []): RejectedRow | null => {
    const problems = problemsOf(row);
    const named = new Set(problems.map((problem) => problem.column));
    problems.push(...check(row).filter((problem) => !named.has(problem.column)));
    if (problems.length + more.length === 0) return null;
    const values = problems.map(({ column, value, reason }) => ({
      column,
      value: describeValue(value, mostCharacters),
      reason,
    }));
    return {
      rowid: read.rowid === null ? null : (row[0] as bigint),
      digest: read.rowid === null ? valuesId(row.slice(1)) : null,
      key: describeKey(read, row),
      values: [...values, ...more],
    };
  };
}

/** The row as a person finds it. */
export function describeKey(read: TableRead, row: SourceRow): string {
  const key = read.primaryKey.filter((name) => placeOf(read, name) >= 0);
  if (key.length > 0) {
    return key
      .map((name) => `${name} ${describeValue(row[1 + placeOf(read, name)] as SourceValue)}`)
      .join(", ");
  }
  return row[0] === null ? "a row without key" : `rowid ${row[0]}`;
}
