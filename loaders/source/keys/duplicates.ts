import type { EncodedColumn } from "../../encode/row-encoder.ts";
import type { SourceValue } from "../../encode/value-problem.ts";
import type { RejectedValue } from "../../reject.ts";
import type { Source } from "../open-source.ts";
import { idOf } from "../refused-rows.ts";
import { describeKey } from "../reject-row.ts";
import type { RowId } from "../row-id.ts";
import { countRows, readBatches, type SourceRow } from "../table-reader.ts";
import { HashCounts } from "./hash-counts.ts";
import { keyEncoder } from "./key-bytes.ts";
import type { KeyedTable, UniqueRule } from "./keyed-table.ts";
import { describeValues, fitCheck, narrowed, rowReader } from "./row-check.ts";
import { openScratch } from "./scratch.ts";

/** A row with a key that an earlier row has which is loaded. */
export interface Duplicate {
  id: RowId;
  /** The row, with all its columns. */
  row: SourceRow;
  /** The keys that it has in common with earlier rows. */
  values: RejectedValue[];
  /** Whether the earlier rows have the same id, being equal in all their values. */
  same: boolean;
}

/**
 * Finds rows that have a key of an earlier row, as the target compares: first the keys that may be there twice, by their
 * hashes, then their rows, one after the other, so that a row which goes stands in nobody's way. Memory stays the same
 * for any number of rows.
 *
 * @param skip rows that are not loaded anyway
 */
export function* duplicatesOf(
  source: Source,
  table: KeyedTable,
  rules: UniqueRule[],
  skip: (id: RowId) => boolean,
): Generator<Duplicate> {
  if (rules.length === 0) return;
  const { read } = table;
  const needed = [...new Set(rules.flatMap(({ columns }) => columns))];
  const keyRead = narrowed(read, needed);
  const placeIn = (place: number) => 1 + (read.rowid === null ? place : needed.indexOf(place));
  const rows = countRows(source, read, {});
  const keys = rules.map((rule) => new KeyOf(table, rule, rule.columns.map(placeIn), rows));
  for (const batch of readBatches(source, keyRead, {})) {
    for (const row of batch) for (const key of keys) key.count(row);
  }
  if (!keys.some(({ hashes }) => hashes.anyTwice)) return;
  const fits = fitCheck(source, table);
  const wholeRow = read.rowid === null ? null : rowReader(source, read);
  using held = new HeldKeys();
  for (const batch of readBatches(source, keyRead, {})) {
    for (const row of batch) {
      const suspect = keys.flatMap((key, rule) => {
        const bytes = key.suspect(row);
        return bytes === null ? [] : [{ key, rule, bytes }];
      });
      if (suspect.length === 0) continue;
      const id = idOf(read, row);
      if (skip(id)) continue;
      const whole = wholeRow === null ? row : wholeRow(id);
      if (!fits(whole)) continue;
      const earlier = suspect.flatMap(({ key, rule, bytes }) => {
        const first = held.find(rule, bytes);
        return first === null ? [] : [{ key, first }];
      });
      if (earlier.length === 0) {
        const described = describeKey(read, whole);
        for (const { rule, bytes } of suspect) held.add(rule, bytes, { id, described });
        continue;
      }
      const values = earlier.map(({ key, first }) => key.problem(row, first.described));
      yield { id, row: whole, values, same: earlier.every(({ first }) => first.id === id) };
    }
  }
}

/** One key of a table's rows. */
class KeyOf {
  readonly hashes: HashCounts;
  readonly #columns: EncodedColumn[];
  readonly #places: number[];
  readonly #nullsDistinct: boolean;
  readonly #encode: ReturnType<typeof keyEncoder>;

  /** @param places where the key's columns stand in the rows that are read */
  constructor(table: KeyedTable, rule: UniqueRule, places: number[], rows: number) {
    this.hashes = new HashCounts(rows);
    this.#columns = rule.columns.flatMap((place) => table.columns[place] ?? []);
    this.#places = places;
    this.#nullsDistinct = rule.nullsDistinct;
    this.#encode = keyEncoder(this.#columns);
  }

  count(row: SourceRow): void {
    const key = this.#bytes(row);
    if (key !== null) this.hashes.add(key);
  }

  /** The key, if it may be there twice; else null. */
  suspect(row: SourceRow): Buffer | null {
    const key = this.#bytes(row);
    return key !== null && this.hashes.isTwice(key) ? Buffer.from(key) : null;
  }

  problem(row: SourceRow, first: string): RejectedValue {
    const values = describeValues(this.#places.map((place) => row[place] as SourceValue));
    return {
      column: this.#columns.map(({ target }) => target).join(", "),
      value: `${values} (first: ${first})`,
      reason: "is the key of an earlier row",
    };
  }

  #bytes(row: SourceRow): Buffer | null {
    const key = this.#encode(this.#places.map((place) => row[place] as SourceValue));
    return key === null || (this.#nullsDistinct && key.nulls.length > 0) ? null : key.bytes;
  }
}

interface FirstRow {
  id: RowId;
  described: string;
}

/** The first row of each key that may be there twice. */
class HeldKeys implements Disposable {
  readonly #scratch = openScratch(
    "CREATE TABLE held (rule, key BLOB, id, described TEXT, PRIMARY KEY (rule, key)) WITHOUT ROWID",
  );
  readonly #insert = this.#scratch.prepare("INSERT INTO held VALUES (?, ?, ?, ?)");
  readonly #find = this.#scratch
    .prepare("SELECT id, described FROM held WHERE rule = ? AND key = ?")
    .raw(true);

  find(rule: number, key: Buffer): FirstRow | null {
    const found = this.#find.get(BigInt(rule), key) as [bigint | string, string] | undefined;
    if (found === undefined) return null;
    const [id, described] = found;
    return { id: typeof id === "bigint" ? Number(id) : id, described };
  }

  add(rule: number, key: Buffer, { id, described }: FirstRow): void {
    this.#insert.run(BigInt(rule), key, typeof id === "number" ? BigInt(id) : id, described);
  }

  [Symbol.dispose](): void {
    this.#scratch.close();
  }
}
