import { CopyBuffer } from "../encode/copy-buffer.ts";
import { type EncodedColumn, rowEncoder } from "../encode/row-encoder.ts";
import { type SourceValue, ValueProblem } from "../encode/value-problem.ts";
import type { Part } from "../load-result.ts";
import type { RejectedRow } from "../reject.ts";
import { hasBrokenWatermark } from "./broken-watermark.ts";
import { type ColumnstoreLayout, ColumnstoreRows, type Store } from "./columnstore-rows.ts";
import type { Source } from "./open-source.ts";
import { OrderedRows } from "./ordered-rows.ts";
import { idOf, Refusals, type RefusedRows } from "./refused-rows.ts";
import { rejectRow } from "./reject-row.ts";
import { RowDigest } from "./row-digest.ts";
import {
  lastValue,
  placeOf,
  type RowRange,
  readBatches,
  type SourceRow,
  type TableRead,
} from "./table-reader.ts";
import { writeWatermark } from "./watermark.ts";

/** What to read, encode and cut into parts. Plain data, so that it can cross into a worker. */
export interface EncodeJob {
  read: TableRead;
  /** Target columns, one for each column read. */
  columns: EncodedColumn[];
  /** Positions among the columns that give the order of writing; empty for the order of reading. */
  order: number[];
  /** Position of a hypertable's time column, and the span of its chunks in microseconds. */
  chunk?: { time: number; span: number };
  range: RowRange;
  /** Rows a part. */
  partRows: number;
  seed: string;
  /** Rows that may be rejected before the job stops. */
  mostRejects: number;
  /** Rows that are to be rejected although their values fit. */
  refused?: RefusedRows;
  /** How rows are laid out that may go straight to the columnstore; all are plain rows without it. */
  columnstore?: ColumnstoreLayout;
}

/**
 * What an encoding yields: bytes of binary COPY, and after the last bytes of a part, the part with the rows that were
 * rejected from it. A flood of rejects ends it: with the rows that no part names, should the table have no ranges.
 */
export type Encoded =
  | { kind: "rows"; bytes: Uint8Array<ArrayBuffer>; rows: number; store?: Store }
  | { kind: "part"; part: Part; rejects: RejectedRow[] }
  | { kind: "flood"; rejects: RejectedRow[] };

const chunkBytes = 1024 * 1024;
/** Rows are put in order within a part, or within this many bytes of it. */
const orderBytes = 32 * 1024 * 1024;

/** Reads a range, encodes it and cuts it into parts. The order of writing holds within a part, not across parts. */
export function* encodeParts(source: Source, job: EncodeJob): Generator<Encoded> {
  const { read } = job;
  const encode = rowEncoder(job.columns, 1);
  const reject = rejectRow(source, read, job.columns);
  const ordered = job.order.length > 0 ? new OrderedRows(job.order.map((position) => position + 1)) : null;
  const columnstore = columnstoreRows(job);
  const refusals = new Refusals(job.refused);
  const flushAt = ordered === null && columnstore === null ? chunkBytes : orderBytes;
  let out = new CopyBuffer(chunkBytes + 65536);
  let waiting = 0;
  let part = new PartInProgress(job);
  let rejected = 0;

  const takeRows = function* (): Generator<Encoded> {
    if (waiting === 0) return;
    const stored = columnstore?.take(out) ?? null;
    if (stored !== null) ordered?.forget();
    for (const { store, rows, stretches } of stored ?? []) {
      const bytes = Buffer.concat(Array.from(stretches, ([start, end]) => out.bytes.subarray(start, end)));
      yield { kind: "rows", bytes: new Uint8Array(bytes), rows, store };
    }
    if (stored === null) {
      const written = ordered === null ? out : ordered.take(out);
      yield { kind: "rows", bytes: written.bytes.subarray(0, written.at), rows: waiting };
    }
    out = new CopyBuffer(chunkBytes + 65536);
    waiting = 0;
  };

  const batches = readBatches(source, read, job.range);
  for (let step = batches.next(); !step.done; ) {
    const before = part.digest.total;
    let digested = 0;
    for (const row of step.value) {
      if (part.rows >= job.partRows && mayEnd(read, part.last, row)) {
        digested += part.digest.total;
        yield* takeRows();
        yield part.finish(source, read);
        part = new PartInProgress(job);
      }
      const start = out.at;
      const refused = refusals.any ? refusals.next(idOf(read, row)) : undefined;
      let problems: RejectedRow | null = null;
      try {
        encode(row, out);
        if (out.suspect || refused) problems = reject(row, refused);
      } catch (error) {
        if (!(error instanceof ValueProblem)) throw error;
        problems = reject(row, refused);
      }
      out.suspect = false;
      part.add(row);
      if (problems === null) {
        ordered?.add(row, start);
        waiting += 1;
        if (out.at >= flushAt) yield* takeRows();
        continue;
      }
      out.at = start;
      part.reject(problems);
      rejected += 1;
      if (rejected <= job.mostRejects) continue;
      if (read.rowid !== null) {
        yield* takeRows();
        yield part.finish(source, read);
        part = new PartInProgress(job);
      }
      yield { kind: "flood", rejects: part.rejects };
      return;
    }
    step = batches.next(digested + part.digest.total - before);
  }
  yield* takeRows();
  if (part.rows > 0) yield part.finish(source, read);
}

/** Divides the rows of a job among the stores; null where all of them are plain rows. */
export function columnstoreRows({ columnstore, range }: EncodeJob): ColumnstoreRows | null {
  if (columnstore === undefined) return null;
  const isWhole = Object.values(range).every((bound) => bound === undefined);
  return new ColumnstoreRows(columnstore, isWhole);
}

/** A part that is remembered by the last value of its key must not end between two rows with the same key. */
function mayEnd(read: TableRead, last: SourceRow | null, row: SourceRow): boolean {
  if (read.rowid !== null) return true;
  if (read.watermark?.kind !== "append" || last === null) return false;
  const key = 1 + placeOf(read, read.watermark.column);
  return last[key] !== row[key];
}

class PartInProgress {
  readonly digest: RowDigest;
  readonly rejects: RejectedRow[] = [];
  /** Rows read, the rejected ones too: the digest covers all. */
  rows = 0;
  first: SourceRow | null = null;
  last: SourceRow | null = null;
  readonly #job: EncodeJob;

  constructor(job: EncodeJob) {
    this.#job = job;
    this.digest = new RowDigest(job.seed);
  }

  add(row: SourceRow): void {
    this.digest.add(row, 1);
    this.rows += 1;
    this.first ??= row;
    this.last = row;
  }

  reject(row: RejectedRow): void {
    this.rejects.push(row);
  }

  finish(source: Source, read: TableRead): Encoded {
    const digest = this.digest.finish();
    const lo = this.first?.[0] as bigint | null;
    const hi = this.last?.[0] as bigint | null;
    const part: Part = {
      lo: lo === null ? null : Number(lo),
      hi: hi === null ? null : Number(hi),
      rows: this.rows - this.rejects.length,
      digest,
    };
    const upTo = writeWatermark(this.#watermark(source, read, lo, hi));
    if (upTo !== undefined) part.upTo = upTo;
    if (this.rejects.length > 0) part.rejected = this.rejects.length;
    return { kind: "part", part, rejects: this.rejects };
  }

  #watermark(source: Source, read: TableRead, lo: bigint | null, hi: bigint | null): SourceValue {
    if (read.watermark === null || hasBrokenWatermark(this.#job, this.rejects)) return null;
    if (read.watermark.kind === "updatedAt") {
      return lastValue(source, read, lo === null || hi === null ? {} : { lo, hi });
    }
    return this.last?.[1 + placeOf(read, read.watermark.column)] ?? null;
  }
}
