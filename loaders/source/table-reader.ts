import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import { type Lookup, quickExpression } from "./lookup.ts";
import type { Source } from "./open-source.ts";

/** One value that is read of a row. */
export interface ReadColumn {
  /** The source column; null for a value that is worked out. */
  name: string | null;
  /** SQL over the source row, which can stand anywhere in an expression. */
  expression: string;
  /** Set for a value of another table's row; then `expression` says the same in plain SQL. */
  lookup: Lookup | null;
}

/** What to read of one source table; plain data, so that it can cross into a worker. */
export interface TableRead {
  /** Source table or view. */
  table: string;
  /**
   * A name that reaches the rowid; null where there is none, or where `append` by another column asks for that
   * column's order. With a rowid the table is read, and remembered, in rowid ranges.
   */
  rowid: string | null;
  columns: ReadColumn[];
  primaryKey: string[];
  /** SQL condition over the source row, null for all rows. */
  where: string | null;
  /** Column whose last value is remembered: the key of `append`, the column of `updatedAt`. */
  watermark: { column: string; kind: "append" | "updatedAt" } | null;
}

/** A row: its rowid (NULL where there is none), then the columns. */
export type SourceRow = SourceValue[];

/** Which rows: rowids, both ends inclusive, or those beyond a remembered value, or single rows. */
export interface RowRange {
  lo?: bigint;
  hi?: bigint;
  beyond?: { column: string; value: SourceValue; inclusive: boolean };
  /** Just these rows, in ascending order; of a table that is read by rowid. */
  rowids?: bigint[];
}

const lowest = -(2n ** 63n);
const highest = 2n ** 63n - 1n;
/** Bytes of rows that one batch aims at: large rows come in small batches, so memory stays bounded. */
const batchBytes = 4 * 1024 * 1024;
const mostRows = 5000;

/**
 * Yields the rows of a range in batches, in rowid order, else in the order of the watermark, the primary key, or all
 * columns (a view), so that the same rows come in the same order each time. The consumer reports each batch's bytes.
 */
export function* readBatches(
  source: Source,
  read: TableRead,
  range: RowRange,
): Generator<SourceRow[], void, number | undefined> {
  const conditions: string[] = read.where === null ? [] : [`(${read.where})`];
  const parameters: SourceValue[] = [];
  if (range.beyond) {
    const { column, value, inclusive } = range.beyond;
    conditions.push(`${quoteIdentifier(column)} ${inclusive ? ">=" : ">"} ?`);
    parameters.push(value);
  }
  const select = selectSql(source, read);
  if (read.rowid === null) {
    yield* readThrough(source, `${select}${whereSql(conditions)} ORDER BY ${orderSql(read)}`, parameters);
    return;
  }
  if (range.rowids) {
    const one = source.prepare(`${select}${whereSql([...conditions, `${read.rowid} = ?`])}`).raw(true);
    for (const rowid of range.rowids) {
      const row = one.get(rowid) as SourceRow | undefined;
      if (row !== undefined) yield [row];
    }
    return;
  }
  conditions.push(`${read.rowid} BETWEEN ? AND ?`);
  const batch = source.prepare(`${select}${whereSql(conditions)} ORDER BY ${read.rowid} LIMIT ?`).raw(true);
  const hi = range.hi ?? highest;
  let next = range.lo ?? lowest;
  let limit = 500;
  while (next <= hi) {
    const rows = batch.all(...parameters, next, hi, limit) as SourceRow[];
    if (rows.length === 0) return;
    const bytes = (yield rows) ?? batchBytes;
    if (rows.length < limit) return;
    next = (rows[rows.length - 1]?.[0] as bigint) + 1n;
    limit = fittingRows(rows.length, bytes);
  }
}

/** The query for all rows of a table, whatever its entry's condition. */
export function selectSql(source: Source, read: TableRead): string {
  const values = [read.rowid ?? "NULL", ...read.columns.map((column) => quickExpression(source, column))];
  return `SELECT ${values.join(", ")} FROM ${quoteIdentifier(read.table)}`;
}

function* readThrough(
  source: Source,
  sql: string,
  parameters: SourceValue[],
): Generator<SourceRow[], void, number | undefined> {
  let rows: SourceRow[] = [];
  let limit = 500;
  for (const row of source
    .prepare(sql)
    .raw(true)
    .iterate(...parameters) as IterableIterator<SourceRow>) {
    rows.push(row);
    if (rows.length < limit) continue;
    const bytes = (yield rows) ?? batchBytes;
    limit = fittingRows(rows.length, bytes);
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

function fittingRows(rows: number, bytes: number): number {
  return Math.max(1, Math.min(mostRows, Math.floor((batchBytes * rows) / Math.max(bytes, 1))));
}

function whereSql(conditions: string[]): string {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

/** Without a key all values give the order, by their places behind the rowid's. */
function orderSql(read: TableRead): string {
  const key = read.primaryKey.map(quoteIdentifier);
  const terms = key.length > 0 ? key : read.columns.map((_, i) => String(i + 2));
  return (
    read.watermark?.kind === "append" ? [quoteIdentifier(read.watermark.column), ...terms] : terms
  ).join(", ");
}

/** The place of a source column among the values that are read; -1 where it is not read. */
export function placeOf(read: TableRead, column: string): number {
  return read.columns.findIndex(({ name }) => name === column);
}

/** Counts the rows of a range. */
export function countRows(source: Source, read: TableRead, range: RowRange): number {
  const conditions: string[] = read.where === null ? [] : [`(${read.where})`];
  const parameters: SourceValue[] = [];
  if (range.beyond) {
    conditions.push(`${quoteIdentifier(range.beyond.column)} ${range.beyond.inclusive ? ">=" : ">"} ?`);
    parameters.push(range.beyond.value);
  }
  if (read.rowid !== null && (range.lo !== undefined || range.hi !== undefined)) {
    conditions.push(`${read.rowid} BETWEEN ? AND ?`);
    parameters.push(range.lo ?? lowest, range.hi ?? highest);
  }
  const sql = `SELECT count(*) FROM ${quoteIdentifier(read.table)}${whereSql(conditions)}`;
  return Number(
    source
      .prepare(sql)
      .pluck()
      .get(...parameters),
  );
}

/** The greatest value of the watermark's column in a rowid range, null when there is none. */
export function lastValue(source: Source, read: TableRead, range: RowRange): SourceValue {
  if (read.watermark === null) return null;
  const conditions: string[] = read.where === null ? [] : [`(${read.where})`];
  const parameters: SourceValue[] = [];
  if (read.rowid !== null) {
    conditions.push(`${read.rowid} BETWEEN ? AND ?`);
    parameters.push(range.lo ?? lowest, range.hi ?? highest);
  }
  const sql = `SELECT max(${quoteIdentifier(read.watermark.column)}) FROM ${quoteIdentifier(read.table)}${whereSql(conditions)}`;
  return source
    .prepare(sql)
    .pluck()
    .get(...parameters) as SourceValue;
}
