import { CopyBuffer } from "../encode/copy-buffer.ts";
import { type EncodedColumn, rowEncoder } from "../encode/row-encoder.ts";
import { describeValue, type SourceValue, ValueProblem } from "../encode/value-problem.ts";
import type { Part } from "../load-result.ts";
import type { Source } from "./open-source.ts";
import { OrderedRows } from "./ordered-rows.ts";
import { RowDigest } from "./row-digest.ts";
import { lastValue, type RowRange, readBatches, type SourceRow, type TableRead } from "./table-reader.ts";
import { textCheck } from "./text-check.ts";
import { writeWatermark } from "./watermark.ts";

/** What to read, encode and cut into parts. Plain data, so that it can cross into a worker. */
export interface EncodeJob {
  read: TableRead;
  /** Target columns, one for each column read. */
  columns: EncodedColumn[];
  /** Positions among the columns that give the order of writing; empty for the order of reading. */
  order: number[];
  range: RowRange;
  /** Rows a part. */
  partRows: number;
  seed: string;
}

/** A source value that the target cannot hold: the seam where it becomes a reject. */
export interface RejectedValue {
  /** Source table. */
  table: string;
  /** The row, as `rowid 17` or `symbol "AAPL"`. */
  key: string;
  column: string;
  /** Class and beginning of the value. */
  value: string;
  reason: string;
}

/** What an encoding yields: bytes of binary COPY, and after the last bytes of a part, the part. */
export type Encoded =
  | { kind: "rows"; bytes: Uint8Array<ArrayBuffer>; rows: number }
  | { kind: "part"; part: Part };

const chunkBytes = 1024 * 1024;
/** Rows are put in order within a part, or within this many bytes of it. */
const orderBytes = 32 * 1024 * 1024;

/** Thrown for the first value that does not fit. */
export class Rejected extends Error {
  readonly rejected: RejectedValue;
  constructor(rejected: RejectedValue) {
    super(rejected.reason);
    this.rejected = rejected;
  }
}

/** Reads a range, encodes it and cuts it into parts. The order of writing holds within a part, not across parts. */
export function* encodeParts(source: Source, job: EncodeJob): Generator<Encoded> {
  const { read } = job;
  const encode = rowEncoder(job.columns, 1);
  const check = textCheck(source, read);
  const ordered = job.order.length > 0 ? new OrderedRows(job.order.map((position) => position + 1)) : null;
  const flushAt = ordered === null ? chunkBytes : orderBytes;
  let out = new CopyBuffer(chunkBytes + 65536);
  let waiting = 0;
  let part = new PartInProgress(job.seed);

  const takeRows = function* (): Generator<Encoded> {
    if (waiting === 0) return;
    const written = ordered === null ? out : ordered.take(out);
    yield { kind: "rows", bytes: written.bytes.subarray(0, written.at), rows: waiting };
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
        yield { kind: "part", part: part.finish(source, read) };
        part = new PartInProgress(job.seed);
      }
      const start = out.at;
      try {
        encode(row, out);
        if (out.suspect) {
          out.suspect = false;
          check(row);
        }
      } catch (error) {
        throw rejected(error, read, row);
      }
      ordered?.add(row, start);
      part.add(row);
      waiting += 1;
      if (out.at >= flushAt) yield* takeRows();
    }
    step = batches.next(digested + part.digest.total - before);
  }
  yield* takeRows();
  if (part.rows > 0) yield { kind: "part", part: part.finish(source, read) };
}

/** A part that is remembered by the last value of its key must not end between two rows with the same key. */
function mayEnd(read: TableRead, last: SourceRow | null, row: SourceRow): boolean {
  if (read.rowid !== null) return true;
  if (read.watermark?.kind !== "append" || last === null) return false;
  const key = 1 + read.columns.indexOf(read.watermark.column);
  return last[key] !== row[key];
}

class PartInProgress {
  readonly digest: RowDigest;
  rows = 0;
  first: SourceRow | null = null;
  last: SourceRow | null = null;

  constructor(seed: string) {
    this.digest = new RowDigest(seed);
  }

  add(row: SourceRow): void {
    this.digest.add(row, 1);
    this.rows += 1;
    this.first ??= row;
    this.last = row;
  }

  finish(source: Source, read: TableRead): Part {
    const digest = this.digest.finish();
    const lo = this.first?.[0] as bigint | null;
    const hi = this.last?.[0] as bigint | null;
    const part: Part = {
      lo: lo === null ? null : Number(lo),
      hi: hi === null ? null : Number(hi),
      rows: this.rows,
      digest,
    };
    const upTo = writeWatermark(this.#watermark(source, read, lo, hi));
    return upTo === undefined ? part : { ...part, upTo };
  }

  #watermark(source: Source, read: TableRead, lo: bigint | null, hi: bigint | null): SourceValue {
    if (read.watermark === null) return null;
    if (read.watermark.kind === "updatedAt") {
      return lastValue(source, read, lo === null || hi === null ? {} : { lo, hi });
    }
    return this.last?.[1 + read.columns.indexOf(read.watermark.column)] ?? null;
  }
}

function rejected(error: unknown, read: TableRead, row: SourceRow): unknown {
  if (!(error instanceof ValueProblem)) return error;
  return new Rejected({
    table: read.table,
    key: describeKey(read, row),
    column: error.column,
    value: describeValue(error.value),
    reason: error.reason,
  });
}

function describeKey(read: TableRead, row: SourceRow): string {
  const key = read.primaryKey.filter((name) => read.columns.includes(name));
  if (key.length > 0) {
    return key
      .map((name) => `${name} ${describeValue(row[1 + read.columns.indexOf(name)] as SourceValue)}`)
      .join(", ");
  }
  return row[0] === null ? "a row without key" : `rowid ${row[0]}`;
}
