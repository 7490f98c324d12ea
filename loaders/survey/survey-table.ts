import type { Reading } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "../source/open-source.ts";
import type { SourceTable } from "../source/source-schema.ts";
import { type Lateness, LateRows } from "./lateness.ts";
import { momentSql } from "./moment-sql.ts";
import { RowTimes } from "./row-times.ts";
import { Segments } from "./segments.ts";

/** Which table is surveyed, and by what. */
export interface SurveyTableArgs {
  table: SourceTable;
  /** What becomes the hypertable's time, as SQL over the source row. */
  time: { value: string; reading: Reading | null };
  /** Sets of values, as SQL over the source row, that rows may be kept together by. */
  segments: string[][];
  /** SQL condition over the source row; null for all rows. */
  where: string | null;
  /**
   * Rows that are read one by one; of a table with more, runs of 100 that are spread evenly over its rowids.
   * @default 5000000
   */
  most?: number;
}

/** When the rows of a source table happened, and how they fall into segments. */
export interface TableSurvey {
  /** Rows that the loader takes. */
  rows: number;
  /** Rows that were read one by one. */
  read: number;
  /** Rows among those read whose time is NULL or cannot be read as one. */
  timeless: number;
  /** The first and the last moment among those read, in seconds since 1970; null where there is none. */
  range: [from: number, until: number] | null;
  times: RowTimes;
  /** In the order asked for. */
  segments: Segments[];
  /** How late rows arrive, within the largest set of segment columns; null where the table has no rowid. */
  lateness: Lateness | null;
}

const usualMost = 5_000_000;
const batch = 10_000;
const run = 100;
const goldenRatio = 0.618_033_988_749_895;

/** Reads the times and key columns of a table once, in the order in which it was written. */
export function surveyTable(source: Source, args: SurveyTableArgs): TableSurvey {
  const { table, time, where, most = usualMost } = args;
  const from = quoteIdentifier(table.name);
  const condition = where === null ? "true" : `(${where})`;
  const rows = Number(source.prepare(`SELECT count(*) FROM ${from} WHERE ${condition}`).pluck().get());
  const values = [...new Set(args.segments.flat())];
  const selected = [momentSql(time.value, time.reading), ...values.map((value) => `CAST(${value} AS TEXT)`)];
  const sql = `SELECT ${table.rowid ?? "NULL"}, ${selected.join(", ")} FROM ${from} WHERE ${condition}`;
  const tally = new Tally(args.segments, values, table.rowid !== null);
  if (table.rowid === null) tally.takeAll(source.prepare(sql).raw().safeIntegers(false).iterate() as Rows);
  else if (rows <= most) tally.takeAll(inBatches(source, sql, table.rowid));
  else tally.takeAll(inRuns(source, sql, table.rowid, from, Math.ceil(most / run)));
  return tally.result(rows);
}

type Row = [rowid: unknown, seconds: number | null, ...values: (string | null)[]];
type Rows = Iterable<Row>;

function* inBatches(source: Source, sql: string, rowid: string): Rows {
  const read = source
    .prepare(`${sql} AND ${rowid} > ? ORDER BY ${rowid} LIMIT ${batch}`)
    .raw()
    .safeIntegers(false);
  // The least rowid of all is left out by > alone; no row that an application writes has it.
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = read.all(last) as Row[];
    yield* rows;
    if (rows.length < batch) return;
    last = rows.at(-1)?.[0] as number;
  }
}

function* inRuns(source: Source, sql: string, rowid: string, from: string, runs: number): Rows {
  const [lo, hi] = source
    .prepare(`SELECT (SELECT min(${rowid}) FROM ${from}), (SELECT max(${rowid}) FROM ${from})`)
    .raw()
    .safeIntegers(false)
    .get() as [number, number];
  const read = source
    .prepare(`${sql} AND ${rowid} >= ? ORDER BY ${rowid} LIMIT ${run}`)
    .raw()
    .safeIntegers(false);
  let next = lo;
  for (let each = 0; each < runs && next <= hi; each += 1) {
    // Evenly spread, but not evenly spaced: rows that recur at an even distance would all fall into runs, or none would.
    const at = each + ((each * goldenRatio) % 1);
    const rows = read.all(Math.max(next, Math.floor(lo + ((hi - lo) / runs) * at))) as Row[];
    yield* rows;
    if (rows.length < run) return;
    next = (rows.at(-1)?.[0] as number) + 1;
  }
}

/** What is counted row by row. */
class Tally {
  readonly #segments: Segments[];
  /** Of each set, the places of its values in a row as it is read. */
  readonly #places: number[][];
  readonly #late: LateRows | null;
  #hours = new Int32Array(8192);
  #read = 0;
  #timed = 0;
  #range: [number, number] | null = null;
  #previous: Row | null = null;

  constructor(sets: string[][], values: string[], ordered: boolean) {
    this.#segments = sets.map(() => new Segments());
    this.#places = sets.map((set) => set.map((value) => values.indexOf(value) + 2));
    this.#late = ordered ? new LateRows() : null;
  }

  takeAll(rows: Rows): void {
    for (const row of rows) {
      this.#read += 1;
      if (typeof row[1] === "number") this.#take(row, row[1]);
    }
  }

  #take(row: Row, seconds: number): void {
    const hour = Math.floor(seconds / 3600);
    if (this.#timed === this.#hours.length) {
      const wider = new Int32Array(this.#hours.length * 2);
      wider.set(this.#hours);
      this.#hours = wider;
    }
    this.#hours[this.#timed++] = hour;
    this.#range ??= [seconds, seconds];
    if (seconds < this.#range[0]) this.#range[0] = seconds;
    if (seconds > this.#range[1]) this.#range[1] = seconds;
    let finest: number | null = null;
    let columns = 0;
    for (let at = 0; at < this.#segments.length; at += 1) {
      const segments = this.#segments[at] as Segments;
      const places = this.#places[at] as number[];
      const value = this.#isSame(row, places) ? null : valuesAt(row, places);
      const number = segments.add(value, hour);
      if (number !== null && places.length > columns) [finest, columns] = [number, places.length];
    }
    this.#late?.add(seconds, finest);
    this.#previous = row;
  }

  #isSame(row: Row, places: number[]): boolean {
    if (this.#previous === null) return false;
    for (const place of places) if (row[place] !== this.#previous[place]) return false;
    return true;
  }

  result(rows: number): TableSurvey {
    const scale = this.#read === 0 ? 1 : Math.max(1, rows / this.#read);
    return {
      rows,
      read: this.#read,
      timeless: this.#read - this.#timed,
      range: this.#range,
      times: new RowTimes(this.#hours.subarray(0, this.#timed), scale),
      segments: this.#segments,
      lateness: this.#late?.result() ?? null,
    };
  }
}

function valuesAt(row: Row, places: number[]): string {
  return places.length === 1
    ? String(row[places[0] as number])
    : places.map((place) => row[place]).join("\0");
}
