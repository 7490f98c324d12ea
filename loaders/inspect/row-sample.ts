import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "../source/open-source.ts";
import type { SourceTable } from "../source/source-schema.ts";

/** Which rows of a table are looked at one by one; the same ones each time. */
export interface RowSample {
  /** Rows of the table. */
  rows: number;
  /** True when only an evenly spread part of them is read. */
  partial: boolean;
}

const window = 100;
/** SQLite gives at most 2,000 results at once, and a key may need some. */
const columnsAtOnce = 1000;

/** A row under inspection: a name for it, and a value for each of the columns asked for. */
export interface SampledRow {
  key: () => string;
  /** The rowid, or the primary key's values: what finds the row again. */
  identity: () => SourceValue[];
  values: SourceValue[];
}

/**
 * Yields rows with the columns named, in batches of at most 1,000 columns; `first` says which column a batch starts
 * with. Beyond `limit` rows an evenly spread sample is read: runs of 100 rows in rowid order, or every n-th row of a
 * table or view without one.
 */
export function* sampleRows(
  source: Source,
  table: SourceTable,
  columns: string[],
  sample: RowSample,
  limit: number,
): Generator<{ first: number; row: SampledRow }> {
  for (let first = 0; first < columns.length; first += columnsAtOnce) {
    const some = columns.slice(first, first + columnsAtOnce);
    for (const row of readSome(source, table, some, sample, limit)) yield { first, row };
  }
}

function* readSome(
  source: Source,
  table: SourceTable,
  columns: string[],
  sample: RowSample,
  limit: number,
): Generator<SampledRow> {
  const keys = table.rowid === null ? table.primaryKey : [];
  const selected = [table.rowid ?? "NULL", ...keys.map(quoteIdentifier), ...columns.map(quoteIdentifier)];
  const toRow = (row: SourceValue[]): SampledRow => ({
    key: () => keyText(table, keys, row),
    identity: () => (table.rowid === null ? row.slice(1, 1 + keys.length) : row.slice(0, 1)),
    values: row.slice(1 + keys.length),
  });
  const from = quoteIdentifier(table.name);
  const list = selected.join(", ");
  if (!sample.partial) {
    const order = table.rowid === null ? "" : ` ORDER BY ${table.rowid}`;
    yield* iterate(source, `SELECT ${list} FROM ${from}${order}`, toRow);
  } else if (table.rowid === null) {
    const step = Math.ceil(sample.rows / limit);
    const names = selected.map((_, i) => `c${i}`);
    yield* iterate(
      source,
      `SELECT ${names.join(", ")} FROM
         (SELECT row_number() OVER () AS n, ${selected.map((each, i) => `${each} AS c${i}`).join(", ")} FROM ${from})
       WHERE n % ${step} = 0`,
      toRow,
    );
  } else {
    yield* readWindows(source, table.rowid, from, list, limit, toRow);
  }
}

function* iterate(
  source: Source,
  sql: string,
  toRow: (row: SourceValue[]) => SampledRow,
): Generator<SampledRow> {
  for (const row of source.prepare(sql).raw(true).iterate() as IterableIterator<SourceValue[]>)
    yield toRow(row);
}

/** Runs of rows that start at evenly spread rowids. */
function* readWindows(
  source: Source,
  rowid: string,
  from: string,
  list: string,
  limit: number,
  toRow: (row: SourceValue[]) => SampledRow,
): Generator<SampledRow> {
  const [lo, hi] = source
    .prepare(`SELECT (SELECT min(${rowid}) FROM ${from}), (SELECT max(${rowid}) FROM ${from})`)
    .raw(true)
    .get() as [bigint, bigint];
  const runs = BigInt(Math.ceil(limit / window));
  const read = source
    .prepare(`SELECT ${list} FROM ${from} WHERE ${rowid} >= ? ORDER BY ${rowid} LIMIT ${window}`)
    .raw(true);
  let next = lo;
  for (let run = 0n; run < runs; run++) {
    const even = lo + ((hi - lo) * run) / runs;
    const rows = read.all(even > next ? even : next) as SourceValue[][];
    for (const row of rows) yield toRow(row);
    const last = rows.at(-1)?.[0];
    if (typeof last !== "bigint" || last === hi) return;
    next = last + 1n;
  }
}

function keyText(table: SourceTable, keys: string[], row: SourceValue[]): string {
  if (table.rowid !== null) return `rowid ${row[0]}`;
  if (keys.length === 0) return "a row of the view";
  return keys.map((name, i) => `${name} ${valueText(row[1 + i] as SourceValue)}`).join(", ");
}

function valueText(value: SourceValue): string {
  if (typeof value === "string") return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString("hex", 0, 16)}'` : String(value);
}
