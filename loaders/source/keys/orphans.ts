import type { EncodedColumn } from "../../encode/row-encoder.ts";
import type { SourceValue } from "../../encode/value-problem.ts";
import type { Source } from "../open-source.ts";
import { idOf } from "../refused-rows.ts";
import type { RowId } from "../row-id.ts";
import { type RowRange, readBatches, type SourceRow } from "../table-reader.ts";
import { keyEncoder } from "./key-bytes.ts";
import type { KeyedTable, ReferenceRule } from "./keyed-table.ts";
import { suspectsOf } from "./orphan-suspects.ts";
import { describeValues, narrowed, placesIn, rowReader } from "./row-check.ts";
import { openScratch } from "./scratch.ts";

/** A row that refers to one that is not loaded. */
export interface Orphan {
  id: RowId;
  /** The row, with all its columns. */
  row: SourceRow;
  /** The values by which it refers. */
  value: string;
}

/**
 * Finds rows whose parent is not loaded, as the target compares. SQLite proves in most cases that there is none; the rows
 * that it cannot speak for are compared one by one, by temporary tables, so that memory stays the same for any number.
 *
 * @param absent rows of the parent that are not loaded
 */
export function* orphansOf(
  source: Source,
  table: KeyedTable,
  rule: ReferenceRule,
  absent: Set<RowId>,
): Generator<Orphan> {
  const suspects = suspectsOf(source, table, rule, absent);
  if (suspects?.length === 0) return;
  const { read } = table;
  const keyRead = narrowed(read, rule.columns);
  const places = placesIn(read, rule.columns);
  const parents = rule.to.map((place) => rule.parent.columns[place] as EncodedColumn);
  const own = rule.columns.map((place) => table.columns[place] as EncodedColumn);
  // As a value of the parent's type: only so can it equal one.
  const encode = keyEncoder(own.map((column, i) => ({ ...column, type: parents[i]?.type ?? column.type })));
  const encodeOwn = keyEncoder(own);
  const isLookup = rule.columns.map((place, i) => {
    return read.columns[place]?.lookup != null && own[i]?.nullable === false;
  });
  /** The key to look for; `lost` where a lookup found nothing, null where the row refers to nothing. */
  const wantedBy = (row: SourceRow): Buffer | "lost" | null => {
    const values = places.map((place) => row[place] as SourceValue);
    const key = encode(values);
    // A value that does not even fit its own column is a reject of its own.
    if (key === null) return values.includes(null) || encodeOwn(values) === null ? null : "lost";
    if (key.nulls.length === 0) return key.bytes;
    return key.nulls.every((i) => isLookup[i]) ? "lost" : null;
  };
  const range: RowRange = suspects === null ? {} : { rowids: suspects.map(BigInt) };
  using wanted = new WantedKeys();
  for (const batch of readBatches(source, keyRead, range)) {
    for (const row of batch) {
      const key = wantedBy(row);
      if (key !== null && key !== "lost") wanted.add(key);
    }
  }
  findParents(source, rule, absent, wanted);
  const wholeRow = read.rowid === null ? null : rowReader(source, read);
  for (const batch of readBatches(source, keyRead, range)) {
    for (const row of batch) {
      const key = wantedBy(row);
      if (key === null || (key !== "lost" && !wanted.has(key))) continue;
      const id = idOf(read, row);
      const value = describeValues(places.map((place) => row[place] as SourceValue));
      yield { id, row: wholeRow === null ? row : wholeRow(id), value };
    }
  }
}

/** Takes the keys that a loaded row of the parent has off those that are wanted. */
function findParents(
  source: Source,
  { parent, to }: ReferenceRule,
  absent: Set<RowId>,
  wanted: WantedKeys,
): void {
  const { read, columns } = parent;
  const places = placesIn(read, to);
  const encode = keyEncoder(to.map((place) => columns[place] as EncodedColumn));
  for (const batch of readBatches(source, narrowed(read, to), {})) {
    if (wanted.isEmpty()) return;
    for (const row of batch) {
      if (absent.size > 0 && absent.has(idOf(read, row))) continue;
      const key = encode(places.map((place) => row[place] as SourceValue));
      if (key !== null && key.nulls.length === 0) wanted.found(key.bytes);
    }
  }
}

/** Keys that rows refer to and for which no parent was found yet. */
class WantedKeys implements Disposable {
  readonly #scratch = openScratch("CREATE TABLE wanted (key BLOB PRIMARY KEY) WITHOUT ROWID");
  readonly #add = this.#scratch.prepare("INSERT OR IGNORE INTO wanted VALUES (?)");
  readonly #has = this.#scratch.prepare("SELECT 1 FROM wanted WHERE key = ?");
  readonly #found = this.#scratch.prepare("DELETE FROM wanted WHERE key = ?");
  readonly #any = this.#scratch.prepare("SELECT 1 FROM wanted LIMIT 1");

  add(key: Buffer): void {
    this.#add.run(key);
  }

  has(key: Buffer): boolean {
    return this.#has.get(key) !== undefined;
  }

  found(key: Buffer): void {
    this.#found.run(key);
  }

  isEmpty(): boolean {
    return this.#any.get() === undefined;
  }

  [Symbol.dispose](): void {
    this.#scratch.close();
  }
}
