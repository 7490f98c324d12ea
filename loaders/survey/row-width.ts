import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "../source/open-source.ts";
import type { SourceTable } from "../source/source-schema.ts";

/** A column of a target table, and what fills it. */
export interface FilledColumn {
  name: string;
  /** PostgreSQL's type, constraints may follow. */
  type: string;
  /** SQL over the source row; null for one that the source has nothing for. */
  value: string | null;
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
    const filled = columns.filter(({ value }) => value !== null);
    const totals = sumsOf(
      source,
      table,
      filled.map(({ value }) => value as string),
    );
    const rows = Math.max(1, totals[0] ?? 0);
    let nulls = columns.some((column) => column.value === null && !/\bnot null\b/i.test(column.type));
    for (const [at, { name, type }] of filled.entries()) {
      const [length = 0, empty = 0] = totals.slice(1 + 2 * at);
      if (empty > 0) nulls = true;
      const bytes = fixedOf(type)?.bytes;
      lengths.set(name, bytes === undefined ? length / rows : bytes * (1 - empty / rows));
    }
    for (const { name, type, value } of columns) {
      // A default fills what the source does not.
      if (value === null && /\bdefault\b/i.test(type)) lengths.set(name, fixedOf(type)?.bytes ?? 8);
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

/** Of sampled rows their number, then of each value the bytes of all as text, and how many are NULL. */
function sumsOf(source: Source, table: SourceTable, values: string[]): number[] {
  const from = quoteIdentifier(table.name);
  const sums = values.map((_, i) => `total(octet_length(v${i})), total(v${i} IS NULL)`);
  const rows = `SELECT ${["0", ...values.map((value, i) => `${value} AS v${i}`)].join(", ")} FROM ${from}`;
  const sumOf = (some: string) =>
    source
      .prepare(`SELECT ${["count(*)", ...sums].join(", ")} FROM (${some})`)
      .raw()
      .safeIntegers(false);
  if (table.rowid === null) return sumOf(`${rows} LIMIT ${sampled}`).get() as number[];
  const [lo, hi] = source
    .prepare(`SELECT (SELECT min(${table.rowid}) FROM ${from}), (SELECT max(${table.rowid}) FROM ${from})`)
    .raw()
    .safeIntegers(false)
    .get() as [number | null, number | null];
  const read = sumOf(`${rows} WHERE ${table.rowid} >= ? LIMIT ${run}`);
  const totals = Array.from({ length: 1 + 2 * values.length }, () => 0);
  if (lo === null || hi === null) return totals;
  const runs = Math.min(sampled / run, Math.ceil((hi - lo + 1) / run));
  for (let each = 0; each < runs; each += 1) {
    const some = read.get(lo + Math.floor(((hi - lo + 1) / runs) * each)) as number[];
    for (const [at, value] of some.entries()) totals[at] = (totals[at] ?? 0) + value;
  }
  return totals;
}
