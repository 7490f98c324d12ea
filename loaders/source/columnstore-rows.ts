import type { CopyBuffer } from "../encode/copy-buffer.ts";

/** What has to be known of a table to write its rows straight to the columnstore. Plain data: it crosses into a worker. */
export interface ColumnstoreLayout {
  /** Positions, among the columns, of those that a segment has in common. */
  segment: number[];
  /** Position of the time column, a timestamp. */
  time: number;
  /** Whether a segment's rows are ordered latest first. */
  descending: boolean;
  /** Whether the time alone orders a segment's rows. */
  byTime: boolean;
  /** Span of a chunk, in microseconds; chunks begin at whole multiples of it, counted from 1970. */
  chunk: number;
  /** Rows before this moment, in microseconds since 2000-01-01 UTC, lie in chunks that belong into the columnstore. */
  before: number;
}

/**
 * Where rows go. In an ordered columnstore no two batches of a segment overlap, which TimescaleDB relies on; else it
 * sorts the rows itself and remembers that the chunk is not in order.
 */
export type Store = "rowstore" | "columnstore" | "ordered columnstore";

/** Rows of a buffer that go to one store. */
export interface StoredRows {
  store: Store;
  rows: number;
  stretches: Iterable<readonly [start: number, end: number]>;
}

/**
 * Rows of one segment in one chunk, on average, from which the direct way pays: TimescaleDB keeps them together in
 * batches of up to 1,000, and small batches cost size and speed (docs/columnstore.md). Below, the policy does better
 * later, because it sees the whole chunk.
 */
export const leastBatch = 150;
/** More segments are not followed across parts, so that memory stays bounded. */
const mostSegments = 200_000;
const from1970 = 946_684_800_000_000;

/**
 * Divides encoded rows among the stores, those for the columnstore segment by segment and each in the order of the
 * columnstore. The first rows decide whether the direct way pays.
 */
export class ColumnstoreRows {
  readonly #layout: ColumnstoreLayout;
  /** Segment -> its number. */
  readonly #segments = new Map<string, number>();
  /** The latest time of each segment so far. */
  #latest = new Float64Array(1024).fill(Number.NEGATIVE_INFINITY);
  #inOrder: boolean;
  #pays: boolean | null = null;
  #start = new Uint32Array(8192);
  #segment = new Uint32Array(8192);
  #time = new Float64Array(8192);

  /** @param first whether these are the first rows of the table, so that what came before them is known */
  constructor(layout: ColumnstoreLayout, first: boolean) {
    this.#layout = layout;
    this.#inOrder = first && layout.byTime;
  }

  /** The rows of a buffer by store, or null when all of them are better off as plain rows. */
  take(out: CopyBuffer): StoredRows[] | null {
    if (this.#pays === false) return null;
    if (this.#segments.size > mostSegments) {
      this.#segments.clear();
      this.#inOrder = false;
    }
    const rows = this.#read(out);
    const chosen = new Uint32Array(rows);
    let olds = 0;
    let recents = 0;
    for (let row = 0; row < rows; row += 1) {
      if ((this.#time[row] as number) < this.#layout.before) chosen[olds++] = row;
      else chosen[rows - ++recents] = row;
    }
    const old = chosen.subarray(0, olds);
    const recent = chosen.subarray(olds).reverse();
    const { order, batches } = this.#arrange(old);
    if (old.length > 0) this.#pays ??= old.length / batches >= leastBatch;
    if (!this.#pays) return null;
    const stored: StoredRows[] = [];
    const add = (store: Store, rows: Uint32Array) => {
      if (rows.length > 0) stored.push({ store, rows: rows.length, stretches: this.#stretches(rows) });
    };
    add(this.#continues(order) ? "ordered columnstore" : "columnstore", order);
    add("rowstore", recent);
    return stored;
  }

  /** Finds start, segment and time of every row; returns their number. */
  #read(out: CopyBuffer): number {
    const { segment, time } = this.#layout;
    const { view } = out;
    const places = new Uint32Array(Math.max(time, ...segment) + 1);
    const before = new Uint32Array(places.length);
    let number = 0;
    let rows = 0;
    for (let at = 0; at < out.at; rows += 1) {
      if (rows + 1 >= this.#start.length) this.#grow();
      this.#start[rows] = at;
      const fields = view.getInt16(at);
      at += 2;
      for (let field = 0; field < fields; field += 1) {
        if (field < places.length) places[field] = at;
        const length = view.getInt32(at);
        at += length > 0 ? 4 + length : 4;
      }
      if (rows === 0 || !isSameSegment(out, segment, before, places)) {
        number = this.#numberOf(segmentOf(out, segment, places));
        before.set(places);
      }
      this.#segment[rows] = number;
      this.#time[rows] = timeOf(out, places[time] as number);
    }
    this.#start[rows] = out.at;
    return rows;
  }

  #numberOf(segment: string): number {
    const known = this.#segments.get(segment);
    if (known !== undefined) return known;
    const number = this.#segments.size;
    this.#segments.set(segment, number);
    if (number >= this.#latest.length) {
      const larger = new Float64Array(this.#latest.length * 2).fill(Number.NEGATIVE_INFINITY);
      larger.set(this.#latest);
      this.#latest = larger;
    }
    return number;
  }

  /** Puts rows in the order of the columnstore, and counts the segments in each chunk. */
  #arrange(rows: Uint32Array): { order: Uint32Array; batches: number } {
    const segmentOfRow = (row: number) => this.#segment[row] as number;
    /** Where the next row of each segment goes; in the end, where the segment ends. */
    const ends = new Uint32Array(this.#segments.size);
    for (const row of rows) ends[segmentOfRow(row)] = (ends[segmentOfRow(row)] as number) + 1;
    let sum = 0;
    ends.forEach((count, segment) => {
      ends[segment] = sum;
      sum += count;
    });
    const order = new Uint32Array(rows.length);
    for (const row of rows) {
      const at = ends[segmentOfRow(row)] as number;
      order[at] = row;
      ends[segmentOfRow(row)] = at + 1;
    }
    let batches = 0;
    for (let from = 0, to = 0; from < order.length; from = to) {
      to = ends[segmentOfRow(order[from] as number)] as number;
      const group = order.subarray(from, to);
      this.#sort(group);
      batches += this.#chunksOf(group);
    }
    return { order, batches };
  }

  #sort(group: Uint32Array): void {
    if (this.#isSorted(group)) return;
    group.reverse();
    if (this.#isSorted(group)) return;
    const sign = this.#layout.descending ? -1 : 1;
    group.sort((a, b) => sign * ((this.#time[a] as number) - (this.#time[b] as number)) || a - b);
  }

  #isSorted(group: Uint32Array): boolean {
    const sign = this.#layout.descending ? -1 : 1;
    for (let i = 1; i < group.length; i += 1) {
      const step =
        (this.#time[group[i] as number] as number) - (this.#time[group[i - 1] as number] as number);
      if (sign * step < 0) return false;
    }
    return true;
  }

  #chunksOf(group: Uint32Array): number {
    let chunks = 0;
    let last = Number.NaN;
    for (const row of group) {
      const chunk = Math.floor(((this.#time[row] as number) + from1970) / this.#layout.chunk);
      if (chunk !== last) chunks += 1;
      last = chunk;
    }
    return chunks;
  }

  /** Whether every segment goes on at or after the latest row that was written of it. */
  #continues(order: Uint32Array): boolean {
    if (!this.#inOrder) return false;
    let holds = true;
    for (let i = 0; i < order.length; ) {
      const segment = this.#segment[order[i] as number] as number;
      const first = this.#time[order[i] as number] as number;
      while (i < order.length && this.#segment[order[i] as number] === segment) i += 1;
      const last = this.#time[order[i - 1] as number] as number;
      if (Math.min(first, last) < (this.#latest[segment] as number)) holds = false;
      this.#latest[segment] = Math.max(this.#latest[segment] as number, first, last);
    }
    return holds;
  }

  /** Neighbours are one stretch. */
  *#stretches(rows: Uint32Array): Generator<readonly [number, number]> {
    for (let i = 0; i < rows.length; ) {
      const first = rows[i] as number;
      let next = first + 1;
      for (i += 1; rows[i] === next; i += 1) next += 1;
      yield [this.#start[first] as number, this.#start[next] as number];
    }
  }

  #grow(): void {
    const wider = <Numbers extends Uint32Array | Float64Array>(
      numbers: Numbers,
      larger: Numbers,
    ): Numbers => {
      larger.set(numbers);
      return larger;
    };
    const length = this.#start.length * 2;
    this.#start = wider(this.#start, new Uint32Array(length));
    this.#segment = wider(this.#segment, new Uint32Array(length));
    this.#time = wider(this.#time, new Float64Array(length));
  }
}

/** A segment's fields with their lengths, so that no two segments look alike. */
function segmentOf(out: CopyBuffer, columns: number[], places: Uint32Array): string {
  let name = "";
  for (const column of columns) {
    const at = places[column] as number;
    name += out.bytes.toString("latin1", at, at + 4 + Math.max(0, out.view.getInt32(at)));
  }
  return name;
}

function isSameSegment(
  out: CopyBuffer,
  columns: number[],
  before: Uint32Array,
  places: Uint32Array,
): boolean {
  for (let i = 0; i < columns.length; i += 1) {
    const a = before[columns[i] as number] as number;
    const b = places[columns[i] as number] as number;
    const length = out.view.getInt32(a);
    if (out.view.getInt32(b) !== length) return false;
    for (let at = 4; at < 4 + length; at += 1) {
      if (out.bytes[a + at] !== out.bytes[b + at]) return false;
    }
  }
  return true;
}

/** Microseconds since 2000; what a double cannot tell apart counts as recent. */
function timeOf(out: CopyBuffer, at: number): number {
  if (out.view.getInt32(at) !== 8) return Number.NaN;
  const time = out.view.getInt32(at + 4) * 2 ** 32 + out.view.getUint32(at + 8);
  return Number.isSafeInteger(time) ? time : Number.NaN;
}
