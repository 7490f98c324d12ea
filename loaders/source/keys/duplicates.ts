import type { SourceValue } from "../../encode/value-problem.ts";
import type { Source } from "../open-source.ts";
import { idOf, type RowId } from "../refused-rows.ts";
import { describeKey } from "../reject-row.ts";
import { countRows, readBatches, type SourceRow } from "../table-reader.ts";
import { keyEncoder } from "./key-bytes.ts";
import type { KeyedTable, UniqueRule } from "./keyed-table.ts";
import { describeValues, fitCheck, narrowed, placesIn, rowReader } from "./row-check.ts";
import { openScratch } from "./scratch.ts";

/** A row whose key an earlier row has. */
export interface Duplicate {
  id: RowId;
  /** The row, with all its columns. */
  row: SourceRow;
  /** The key's values, and which row has it first. */
  value: string;
  /** Whether the first row has the same id, being equal in all its values. */
  same: boolean;
}

/** Bits for each row, so that hardly any two keys share one; never more bits than make 32 MB. */
const bitsARow = 32;
const mostBits = 2 ** 28;

/**
 * Finds rows whose key an earlier row has, as the target compares: first the keys that may be there twice, by their
 * hashes, then their rows. Memory stays the same for any number of rows.
 *
 * @param skip rows that are not loaded anyway
 */
export function* duplicatesOf(
  source: Source,
  table: KeyedTable,
  rule: UniqueRule,
  skip: (id: RowId) => boolean,
): Generator<Duplicate> {
  const { read } = table;
  const keyRead = narrowed(read, rule.columns);
  const places = placesIn(read, rule.columns);
  const encode = keyEncoder(rule.columns.flatMap((place) => table.columns[place] ?? []));
  const keyOf = (row: SourceRow) => {
    const key = encode(places.map((place) => row[place] as SourceValue));
    return key === null || (rule.nullsDistinct && key.nulls.length > 0) ? null : key.bytes;
  };
  const hashes = new HashCounts(countRows(source, read, {}));
  for (const batch of readBatches(source, keyRead, {})) {
    for (const row of batch) {
      const key = keyOf(row);
      if (key !== null) hashes.add(key);
    }
  }
  if (!hashes.anyTwice) return;
  const fits = fitCheck(source, table);
  const wholeRow = read.rowid === null ? null : rowReader(source, read);
  using held = new HeldKeys();
  for (const batch of readBatches(source, keyRead, {})) {
    for (const row of batch) {
      const key = keyOf(row);
      if (key === null || !hashes.isTwice(key)) continue;
      const id = idOf(read, row);
      if (skip(id)) continue;
      const whole = wholeRow === null ? row : wholeRow(id);
      if (!fits(whole)) continue;
      const first = held.hold(key, id, describeKey(read, whole));
      if (first === null) continue;
      const values = describeValues(places.map((place) => row[place] as SourceValue));
      yield { id, row: whole, value: `${values} (first: ${first.described})`, same: first.id === id };
    }
  }
}

/** Which hashes occurred, and which more than once. */
class HashCounts {
  readonly #mask: number;
  readonly #once: Uint32Array;
  readonly #twice: Uint32Array;
  anyTwice = false;

  constructor(rows: number) {
    let bits = 2 ** 16;
    while (bits < rows * bitsARow && bits < mostBits) bits *= 2;
    this.#mask = bits - 1;
    this.#once = new Uint32Array(bits / 32);
    this.#twice = new Uint32Array(bits / 32);
  }

  add(key: Buffer): void {
    const hash = hashOf(key) & this.#mask;
    const at = hash >>> 5;
    const bit = 1 << (hash & 31);
    if (((this.#once[at] as number) & bit) === 0) {
      (this.#once[at] as number) |= bit;
      return;
    }
    (this.#twice[at] as number) |= bit;
    this.anyTwice = true;
  }

  isTwice(key: Buffer): boolean {
    const hash = hashOf(key) & this.#mask;
    return ((this.#twice[hash >>> 5] as number) & (1 << (hash & 31))) !== 0;
  }
}

/** FNV-1a with a last stirring, since only some of its bits are used. */
function hashOf(key: Buffer): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ (key[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Keys with the first row of each. */
class HeldKeys implements Disposable {
  readonly #scratch = openScratch(
    "CREATE TABLE held (key BLOB PRIMARY KEY, id, described TEXT NOT NULL) WITHOUT ROWID",
  );
  readonly #insert = this.#scratch.prepare("INSERT OR IGNORE INTO held VALUES (?, ?, ?)");
  readonly #find = this.#scratch.prepare("SELECT id, described FROM held WHERE key = ?").raw(true);

  /** Null for the first row of a key, else that row. */
  hold(key: Buffer, id: RowId, described: string): { id: RowId; described: string } | null {
    const stored = typeof id === "number" ? BigInt(id) : id;
    if (this.#insert.run(key, stored, described).changes === 1) return null;
    const [first, name] = this.#find.get(key) as [bigint | string, string];
    return { id: typeof first === "bigint" ? Number(first) : first, described: name };
  }

  [Symbol.dispose](): void {
    this.#scratch.close();
  }
}
