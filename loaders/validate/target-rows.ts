import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import type { TargetType } from "../target-table.ts";
import { type Settle, settled } from "./canonical-form.ts";
import { type ComparedTable, targetSql } from "./compared-table.ts";
import { copyOut } from "./copy-out.ts";
import { type Pass, type PassResult, sinkOf } from "./pass.ts";
import { RowBytes } from "./row-bytes.ts";
import type { RowOrigin, RowSink } from "./row-sink.ts";

const signature = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");

/** Reads a target table once, as the server sends its rows in binary. */
export async function runOnTarget<P extends Pass>(
  table: ComparedTable,
  pass: P,
  client: pg.ClientBase,
): Promise<PassResult[P["kind"]]> {
  const { sink, result } = sinkOf(pass);
  const { columns } = table.resolved;
  await readTarget(
    client,
    columns.map(({ target }) => quoteIdentifier(target)),
    columns.map(({ type }) => type),
    targetSql(table),
    pass.kind === "capture",
    sink,
  );
  return result();
}

/**
 * Gives every row of a table or subquery to `sink`, in canonical bytes.
 * @param texts whether the server also writes each value as a text, for people
 */
export async function readTarget(
  client: pg.ClientBase,
  columns: string[],
  types: TargetType[],
  from: string,
  texts: boolean,
  sink: RowSink,
): Promise<void> {
  const items = texts ? [...columns, ...columns.map((column) => `${column}::text`)] : columns;
  const tuples = new Tuples(types, items.length, sink);
  await copyOut(
    client,
    `COPY (SELECT ${items.join(", ")} FROM ${from}) TO STDOUT (FORMAT binary)`,
    (bytes, view, start, end) => tuples.take(bytes, view, start, end),
  );
  tuples.finish();
}

/** The tuples of a binary COPY. */
class Tuples implements RowOrigin {
  readonly #row: RowBytes;
  readonly #items: number;
  readonly #sink: RowSink;
  /** Columns whose bytes are not canonical as they come. */
  readonly #unsettled: { at: number; settle: Settle }[];
  #started = false;
  #ended = false;
  #textsAt = 0;

  constructor(types: TargetType[], items: number, sink: RowSink) {
    this.#row = new RowBytes(types.length, 0);
    this.#items = items;
    this.#sink = sink;
    this.#unsettled = types.flatMap((type, at) => {
      const settle = settled(type);
      return settle ? [{ at, settle }] : [];
    });
  }

  take(bytes: Buffer, view: DataView, start: number, end: number): void {
    let at = start;
    if (!this.#started) {
      if (!bytes.subarray(at, at + signature.length).equals(signature)) throw unexpected("its beginning");
      at += signature.length + 8 + view.getInt32(at + signature.length + 4);
      this.#started = true;
    }
    const row = this.#row;
    row.bytes = bytes;
    row.view = view;
    const { starts } = row;
    const fields = starts.length - 1;
    while (at < end) {
      const count = view.getInt16(at);
      at += 2;
      if (count === -1) {
        this.#ended = true;
        if (at !== end) throw unexpected("bytes after its end");
        return;
      }
      if (count !== this.#items) throw unexpected(`a row of ${count} fields`);
      for (let field = 0; field < fields; field += 1) {
        starts[field] = at;
        const length = view.getInt32(at);
        at += length < 0 ? 4 : 4 + length;
        if (at > end) throw unexpected("a row in pieces");
      }
      starts[fields] = at;
      this.#textsAt = at;
      for (let item = fields; item < count; item += 1) at += 4 + Math.max(0, view.getInt32(at));
      if (at > end) throw unexpected("a row in pieces");
      for (const { at: field, settle } of this.#unsettled) settle(view, starts[field] as number);
      this.#sink.add(row, this);
    }
  }

  texts(): (string | null)[] {
    const { bytes, view, starts } = this.#row;
    let at = this.#textsAt;
    return Array.from({ length: starts.length - 1 }, () => {
      const length = view.getInt32(at);
      const text = length < 0 ? null : bytes.toString("utf8", at + 4, at + 4 + length);
      at += 4 + Math.max(0, length);
      return text;
    });
  }

  finish(): void {
    if (!this.#ended) throw unexpected("no end");
  }
}

function unexpected(what: string): Error {
  return new Error(`binary COPY is not what PostgreSQL documents: ${what}`);
}
