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
  /** Bytes of the longest text or blob. */
  longest: number;
}

/** SQLite gives at most 2,000 results at once. */
const columnsAtOnce = 450;

/**
 * Counts the classes of every column in two passes over the table (for each 450 columns). Numbers sort before texts and
 * texts before blobs, so the least and the greatest value already say most; the second pass counts what they leave
 * open. A column that cannot be computed, as a generated one over broken JSON, is given as the error's message.
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
    const counts = readBounds(source, table, columns);
    countOpen(source, table, counts);
    for (const [name, each] of counts) found.set(name, each);
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

/** First pass: how many are NULL, the least and the greatest value; all values as if of the least one's class. */
function readBounds(source: Source, table: string, columns: string[]): Map<string, ColumnCounts> {
  // A collation of the application's own is not known here.
  const results = columns
    .map((name) => `${quoteIdentifier(name)} COLLATE BINARY`)
    .map((column) => `count(${column}), min(${column}), max(${column})`);
  const [rows, ...values] = select(source, table, ["count(*)", ...results]);
  return new Map(
    columns.map((name, i) => {
      const [filled, min = null, max = null] = values.slice(i * 3, i * 3 + 3);
      const counts = { null: Number(rows) - Number(filled), integer: 0, real: 0, text: 0, blob: 0 };
      if (min !== null) counts[classOf(min)] = Number(filled);
      return [name, { ...counts, min, max, longest: 0 }];
    }),
  );
}

type Class = "integer" | "real" | "text" | "blob";

function classOf(value: Exclude<SourceValue, null>): Class {
  if (typeof value === "bigint") return "integer";
  return typeof value === "number" ? "real" : typeof value === "string" ? "text" : "blob";
}

/** Second pass: the classes that the bounds leave open, and the longest text or blob. */
function countOpen(source: Source, table: string, columns: Map<string, ColumnCounts>): void {
  const results: string[] = [];
  const takers: ((value: SourceValue) => void)[] = [];
  for (const [name, counts] of columns) {
    if (counts.min === null || counts.max === null) continue;
    const column = quoteIdentifier(name);
    const [least, greatest] = [classOf(counts.min), classOf(counts.max)];
    const among = { integer: 0, real: 0, text: 1, blob: 2 };
    const open: Class[] = [];
    if (among[least] === 0) open.push(least === "integer" ? "real" : "integer");
    if (among[least] === 0 && among[greatest] > 0) open.push("text");
    if (among[greatest] === 2 && least !== "blob") open.push("blob");
    for (const other of open) {
      results.push(`sum(typeof(${column}) = '${other}')`);
      takers.push((value) => {
        counts[other] += Number(value);
        counts[least] -= Number(value);
      });
    }
    if (among[greatest] > 0) {
      const length = `octet_length(${column})`;
      results.push(
        among[least] > 0
          ? `max(${length})`
          : `max(CASE WHEN typeof(${column}) IN ('text', 'blob') THEN ${length} END)`,
      );
      takers.push((value) => {
        counts.longest = Number(value);
      });
    }
  }
  if (results.length === 0) return;
  const values = select(source, table, results);
  for (const [i, take] of takers.entries()) take(values[i] ?? null);
}

function select(source: Source, table: string, results: string[]): SourceValue[] {
  const sql = `SELECT ${results.join(", ")} FROM ${quoteIdentifier(table)}`;
  return source.prepare(sql).raw(true).get() as SourceValue[];
}
