import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "../source/open-source.ts";

/** What SQL says of one column: every row counted. */
export interface ColumnCounts {
  null: number;
  integer: number;
  real: number;
  text: number;
  blob: number;
  /** In SQLite's order: numbers, then texts, then blobs. Null where every value is. */
  min: SourceValue;
  max: SourceValue;
  /** Characters of the longest text, or bytes of the longest blob. */
  longest: number;
}

/** Seven results a column, and SQLite gives at most 2,000 at once. */
const columnsAtOnce = 250;

/**
 * Counts the classes of every column, all of them in one pass over the table (250 columns a pass). A column that
 * cannot be computed, as a generated one over broken JSON, is given as the error's message.
 */
export function countColumns(
  source: Source,
  table: string,
  columns: string[],
): Map<string, ColumnCounts | string> {
  const found = new Map<string, ColumnCounts | string>();
  for (let at = 0; at < columns.length; at += columnsAtOnce) {
    countTogether(source, table, columns.slice(at, at + columnsAtOnce), found);
  }
  return found;
}

function countTogether(
  source: Source,
  table: string,
  columns: string[],
  found: Map<string, ColumnCounts | string>,
): void {
  try {
    const results = columns.map((name) => resultsSql(quoteIdentifier(name))).join(",\n");
    const row = source
      .prepare(`SELECT count(*), ${results} FROM ${quoteIdentifier(table)}`)
      .raw(true)
      .get() as SourceValue[];
    const rows = Number(row[0]);
    for (const [i, name] of columns.entries())
      found.set(name, toCounts(rows, row.slice(1 + i * 7, 8 + i * 7)));
  } catch (error) {
    // One column may spoil a pass for all: halve until it stands alone.
    if (columns.length === 1) {
      found.set(columns[0] as string, (error as Error).message);
      return;
    }
    const middle = Math.ceil(columns.length / 2);
    countTogether(source, table, columns.slice(0, middle), found);
    countTogether(source, table, columns.slice(middle), found);
  }
}

function resultsSql(column: string): string {
  return `count(${column}), sum(typeof(${column}) = 'integer'), sum(typeof(${column}) = 'real'),
    sum(typeof(${column}) = 'text'), min(${column}), max(${column}),
    max(CASE WHEN typeof(${column}) IN ('text', 'blob') THEN length(${column}) END)`;
}

function toCounts(
  rows: number,
  [filled, integer, real, text, min, max, longest]: SourceValue[],
): ColumnCounts {
  const counts = { integer: Number(integer), real: Number(real), text: Number(text) };
  return {
    null: rows - Number(filled),
    ...counts,
    blob: Number(filled) - counts.integer - counts.real - counts.text,
    min: min ?? null,
    max: max ?? null,
    longest: Number(longest),
  };
}
