import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "../source/open-source.ts";
import type { SourceTable } from "../source/source-schema.ts";

/** A column of a target table, and the source column that fills it. */
export interface FilledColumn {
  name: string;
  /** PostgreSQL's type, constraints may follow. */
  type: string;
  /** Null for one that the source has nothing for. */
  source: string | null;
}

/** Bytes that a type takes, and the multiple of bytes at which it begins; others are as long as their text. */
const fixed: [words: RegExp, bytes: number, align: number][] = [
  [/^(?:bigint|int8|double precision|float8|float(?:\(\d+\))?$|timestamp|bigserial)/, 8, 8],
  [/^(?:integer|int\b|int4|serial|real|float4|date)/, 4, 4],
  [/^(?:smallint|int2)/, 2, 2],
  [/^bool/, 1, 1],
  [/^uuid/, 16, 1],
];
const rowHeader = 23;
const linePointer = 4;
const indexHeader = 8;
/** A freshly built index leaves a tenth of each page empty. */
const indexFill = 0.9;
/** PostgreSQL moves what makes a row longer than this out of it, and compresses it. */
const toastFrom = 2000;
const sampled = 20_000;
const run = 100;

/** How many bytes the rows of a table take in PostgreSQL, on average: computed from the lengths of the source's values. */
export class RowWidth {
  readonly #columns: FilledColumn[];
  /** Target column -> bytes of its value on average, without a length. */
  readonly #lengths: Map<string, number>;
  readonly #nulls: boolean;

  private constructor(columns: FilledColumn[], lengths: Map<string, number>, nulls: boolean) {
    this.#columns = columns;
    this.#lengths = lengths;
    this.#nulls = nulls;
  }

  /** Looks at about 20,000 rows, spread evenly. */
  static measure(source: Source, table: SourceTable, columns: FilledColumn[]): RowWidth {
    const lengths = new Map<string, number>();
    const filled = columns.filter((column) => column.source !== null);
    const sums = filled.map(({ source: name }) => {
      const column = quoteIdentifier(name as string);
      return `total(octet_length(${column})), total(${column} IS NULL)`;
    });
    const totals = sumsOf(source, table, ["count(*)", ...sums]);
    const rows = Math.max(1, totals[0] ?? 0);
    let nulls = columns.some((column) => column.source === null && !/\bnot null\b/i.test(column.type));
    for (const [at, { name, type }] of filled.entries()) {
      const [length = 0, empty = 0] = totals.slice(1 + 2 * at);
      if (empty > 0) nulls = true;
      const bytes = fixedOf(type)?.bytes;
      lengths.set(name, bytes === undefined ? length / rows : bytes * (1 - empty / rows));
    }
    for (const { name, type, source: from } of columns) {
      // A default fills what the source does not.
      if (from === null && /\bdefault\b/i.test(type)) lengths.set(name, fixedOf(type)?.bytes ?? 8);
    }
    return new RowWidth(columns, lengths, nulls);
  }

  /** Bytes of a row in the table, its place in the page included. */
  get row(): number {
    const bitmap = this.#nulls ? Math.ceil(this.#columns.length / 8) : 0;
    const data = this.#data(this.#columns);
    return linePointer + upTo(8, rowHeader + bitmap) + upTo(8, Math.min(data, toastFrom));
  }

  /** Bytes of a row's entry in an index over columns; expressions and unknown columns count nothing. */
  indexEntry(columns: string[]): number {
    const names = columns.map((column) => column.replace(/ .*/, ""));
    const indexed = names.flatMap((name) => this.#columns.find((column) => column.name === name) ?? []);
    return (linePointer + indexHeader + upTo(8, this.#data(indexed))) / indexFill;
  }

  #data(columns: FilledColumn[]): number {
    let bytes = 0;
    for (const { name, type } of columns) {
      const length = this.#lengths.get(name) ?? 0;
      if (length === 0) continue;
      const { align } = fixedOf(type) ?? { align: length < 127 ? 1 : 4 };
      bytes = upTo(align, bytes) + length;
      if (fixedOf(type) === null) bytes += length < 127 ? 1 : 4;
    }
    return bytes;
  }
}

function fixedOf(type: string): { bytes: number; align: number } | null {
  const found = fixed.find(([words]) => words.test(type.toLowerCase()));
  return found ? { bytes: found[1], align: found[2] } : null;
}

function upTo(multiple: number, bytes: number): number {
  return multiple === 1 ? bytes : Math.ceil(bytes / multiple) * multiple;
}

function sumsOf(source: Source, table: SourceTable, results: string[]): number[] {
  const from = quoteIdentifier(table.name);
  const list = results.map((result, i) => `${result} AS c${i}`).join(", ");
  if (table.rowid === null) {
    return source
      .prepare(`SELECT ${list} FROM (SELECT * FROM ${from} LIMIT ${sampled})`)
      .raw()
      .safeIntegers(false)
      .get() as number[];
  }
  const [lo, hi] = source
    .prepare(`SELECT (SELECT min(${table.rowid}) FROM ${from}), (SELECT max(${table.rowid}) FROM ${from})`)
    .raw()
    .safeIntegers(false)
    .get() as [number | null, number | null];
  const read = source
    .prepare(`SELECT ${list} FROM (SELECT * FROM ${from} WHERE ${table.rowid} >= ? LIMIT ${run})`)
    .raw()
    .safeIntegers(false);
  const sums = results.map(() => 0);
  if (lo === null || hi === null) return sums;
  const runs = Math.min(sampled / run, Math.ceil((hi - lo + 1) / run));
  for (let each = 0; each < runs; each += 1) {
    const row = read.all(lo + Math.floor(((hi - lo + 1) / runs) * each)) as number[][];
    for (const [at, value] of (row[0] ?? []).entries()) sums[at] = (sums[at] ?? 0) + value;
  }
  return sums;
}
