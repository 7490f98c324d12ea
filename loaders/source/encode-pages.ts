import { CopyBuffer } from "../encode/copy-buffer.ts";
import { describeValue, ValueProblem } from "../encode/value-problem.ts";
import type { Part } from "../load-result.ts";
import type { RejectedRow } from "../reject.ts";
import { hasBrokenWatermark } from "./broken-watermark.ts";
import type { Store } from "./columnstore-rows.ts";
import { columnstoreRows, type Encoded, type EncodeJob } from "./encode-parts.ts";
import type { Source } from "./open-source.ts";
import { type FieldOrder, OrderedFields } from "./ordered-fields.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import { DatabaseFile } from "./pages/database-file.ts";
import { olderRows, type PagedTable } from "./pages/paged-table.ts";
import { RecordDigest } from "./pages/record-digest.ts";
import { RowWriter } from "./pages/row-writer.ts";
import { StoredRecord } from "./pages/stored-record.ts";
import { TableCursor } from "./pages/table-cursor.ts";
import { Refusals } from "./refused-rows.ts";
import { rejectRow } from "./reject-row.ts";
import type { RowRange } from "./table-reader.ts";
import { lastValue } from "./table-reader.ts";
import { writeWatermark } from "./watermark.ts";

/** Rows are put in order within a part, or within this many bytes of it. */
const orderBytes = 8 * 1024 * 1024;

/** What the reading of pages needs. */
export interface PagedSource {
  source: Source;
  /** The file that `source` has open. */
  path: string;
  table: PagedTable;
  outgoing: OutgoingBytes;
}

/**
 * Does what `encodeParts` does, from the table's pages instead of through SQLite: no value becomes a JavaScript value
 * on the way, which takes a third of the time and no memory to speak of. A row that has a problem is read again
 * through SQLite, so that rejects are the same on both ways.
 */
export function* encodePages(from: PagedSource, job: EncodeJob): Generator<Encoded> {
  const { source, table, outgoing } = from;
  const { read } = job;
  using file = new DatabaseFile(from.path);
  const record = new StoredRecord(table.stored);
  const cursor = new TableCursor(file, table.root, record, ...boundsOf(job.range));
  const older = olderRows(source, read);
  const writer = new RowWriter(job.columns, table.columns, older);
  const reject = rejectRow(source, read, job.columns);
  const ordered = new OrderedFields(
    job.order.map((position) => orderOf(job.columns[position]?.type.kind)),
    job.chunk?.span,
  );
  const keys = Uint32Array.from([...job.order, ...(job.chunk ? [job.chunk.time] : [])]);
  const places = new Uint32Array(keys.length);
  const columnstore = columnstoreRows(job);
  const refusals = new Refusals(job.refused);
  const mostBytes = keys.length > 0 || columnstore !== null ? orderBytes : OutgoingBytes.size;
  const out = new CopyBuffer(mostBytes + 65536);
  // The first rows go early, so that the server has something to do.
  let flushAt = columnstore === null ? OutgoingBytes.size : mostBytes;
  let part = new PartInProgress(job.seed);
  let rejected = 0;

  const send = function* (stretches: Iterable<readonly [number, number]>, rows: number, store?: Store) {
    let bytes = outgoing.take();
    let filled = 0;
    for (const [start, end] of stretches) {
      for (let at = start; at < end; ) {
        const length = Math.min(end - at, bytes.length - filled);
        bytes.set(out.bytes.subarray(at, at + length), filled);
        filled += length;
        at += length;
        if (filled < bytes.length) continue;
        yield { kind: "rows", bytes, rows: 0, store } as const;
        bytes = outgoing.take();
        filled = 0;
      }
    }
    // A short rest goes in bytes of its own, since its buffer would not come back.
    const short = filled < OutgoingBytes.least;
    if (short) outgoing.give(bytes.buffer);
    const rest = short ? bytes.slice(0, filled) : bytes.subarray(0, filled);
    if (filled > 0) yield { kind: "rows", bytes: rest, rows, store } as const;
  };
  const flush = function* (): Generator<Encoded> {
    if (out.at === 0) return;
    const stored = columnstore?.take(out) ?? null;
    if (stored === null) {
      yield* send(ordered.take(out), part.waiting);
    } else {
      ordered.forget();
      for (const { stretches, rows, store } of stored) yield* send(stretches, rows, store);
    }
    out.at = 0;
    part.waiting = 0;
  };

  while (cursor.next()) {
    if (part.rows >= job.partRows) {
      yield* flush();
      yield part.finish(source, job);
      part = new PartInProgress(job.seed);
    }
    part.add(record);
    const start = out.at;
    const refused = refusals.any ? refusals.next(record.rowid) : undefined;
    try {
      writer.write(record, out, keys, places);
      if (refused === undefined) {
        ordered.add(start, places);
        part.waiting += 1;
        if (out.at >= flushAt) {
          yield* flush();
          flushAt = Math.min(flushAt * 2, mostBytes);
        }
        continue;
      }
      out.at = start;
      part.reject(reject([BigInt(record.rowid), ...older(record.rowid)], refused));
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      out.at = start;
      const problems = reject([BigInt(record.rowid), ...older(record.rowid)], refused);
      // Told by the value itself, so that no disagreement of the two ways could hide a row.
      part.reject(problems ?? told(record.rowid, error));
    }
    rejected += 1;
    if (rejected <= job.mostRejects) continue;
    yield* flush();
    yield part.finish(source, job);
    yield { kind: "flood", rejects: [] };
    return;
  }
  yield* flush();
  if (part.rows > 0) yield part.finish(source, job);
}

/** Digest and number of the rows in a range, by the same rule as `encodePages`. */
export function digestPages(path: string, table: PagedTable, range: RowRange, seed: string) {
  using file = new DatabaseFile(path);
  const record = new StoredRecord(0);
  const cursor = new TableCursor(file, table.root, record, ...boundsOf(range));
  const digest = new RecordDigest(seed);
  let rows = 0;
  for (; cursor.next(); rows += 1) digest.add(record);
  return { rows, digest: digest.finish() };
}

function boundsOf({ lo, hi }: RowRange): [lowest: number, highest: number] {
  return [
    lo === undefined ? Number.NEGATIVE_INFINITY : Number(lo),
    hi === undefined ? Number.POSITIVE_INFINITY : Number(hi),
  ];
}

function orderOf(kind: string | undefined): FieldOrder {
  if (kind === "float8") return "double";
  return kind !== undefined && /^(int|date|timestamp)/.test(kind) ? "signed" : "bytes";
}

function told(rowid: number, { column, reason, value }: ValueProblem): RejectedRow {
  return {
    rowid: BigInt(rowid),
    digest: null,
    key: `rowid ${rowid}`,
    values: [{ column, value: describeValue(value, 200), reason }],
  };
}

class PartInProgress {
  readonly rejects: RejectedRow[] = [];
  /** Rows read, the rejected ones too: the digest covers all. */
  rows = 0;
  /** Rows that are encoded and not on their way. */
  waiting = 0;
  readonly #digest: RecordDigest;
  #lo = 0;
  #hi = 0;

  constructor(seed: string) {
    this.#digest = new RecordDigest(seed);
  }

  reject(row: RejectedRow | null): void {
    if (row !== null) this.rejects.push(row);
  }

  add(record: StoredRecord): void {
    this.#digest.add(record);
    if (this.rows === 0) this.#lo = record.rowid;
    this.#hi = record.rowid;
    this.rows += 1;
  }

  finish(source: Source, job: EncodeJob): Encoded {
    const { read } = job;
    const [lo, hi] = [this.#lo, this.#hi];
    const part: Part = { lo, hi, rows: this.rows - this.rejects.length, digest: this.#digest.finish() };
    if (this.rejects.length > 0) part.rejected = this.rejects.length;
    if (read.watermark !== null && !hasBrokenWatermark(job, this.rejects)) {
      const value =
        read.watermark.kind === "append"
          ? BigInt(hi)
          : lastValue(source, read, { lo: BigInt(lo), hi: BigInt(hi) });
      const upTo = writeWatermark(value);
      if (upTo !== undefined) part.upTo = upTo;
    }
    return { kind: "part", part, rejects: this.rejects };
  }
}
