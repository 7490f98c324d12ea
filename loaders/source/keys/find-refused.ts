import type { RejectedValue } from "../../reject.ts";
import type { Source } from "../open-source.ts";
import type { RefusedRows, RowId } from "../refused-rows.ts";
import { describeKey } from "../reject-row.ts";
import type { SourceRow } from "../table-reader.ts";
import { duplicatesOf } from "./duplicates.ts";
import type { KeyedTable, KeyFindings, KeysJob, ReferenceRule, UniqueRule } from "./keyed-table.ts";
import { orphansOf } from "./orphans.ts";
import { unfitRows } from "./unfit-rows.ts";
import { isKeptBySource } from "./unique-proof.ts";

/**
 * Finds the rows of a table that its keys refuse: those whose parent is not loaded, then those whose key an earlier row
 * has that is. Rows with a value that does not fit are not loaded either; whether their key is refused too is not asked.
 */
export function findRefused(at: { source: Source; path: string }, job: KeysJob): KeyFindings {
  const { source } = at;
  const { table, unique, references, doubtful, most } = job;
  const rows = new RefusedSoFar(table, job.refused, most);
  const others = references.filter(({ absent }) => absent !== null);
  const own = references.filter(({ absent }) => absent === null);
  const unfit = unfitRows(at, table, doubtful, most);
  const unfitIds = new Set(unfit);
  const ended = () => ({ refused: rows.refused, unfit, complete: rows.room });
  for (const rule of others) {
    if (!rows.takeOrphans(orphansOf(source, table, rule, new Set(rule.absent)), rule)) return ended();
  }
  // A row that goes takes those along that refer to it.
  for (let before = -1; before < rows.refused.size; ) {
    before = rows.refused.size;
    for (const rule of own) {
      const absent = new Set([...unfitIds, ...rows.absent()]);
      if (!rows.takeOrphans(orphansOf(source, table, rule, absent), rule)) return ended();
    }
    for (const rule of unique) {
      if (isKeptBySource(source, table, rule)) continue;
      const skip = (id: RowId) => unfitIds.has(id) || rows.isAbsent(id);
      if (!rows.takeDuplicates(duplicatesOf(source, table, rule, skip), rule)) return ended();
    }
    if (own.length === 0) break;
  }
  return ended();
}

/** The refused rows as they are found. */
class RefusedSoFar {
  readonly refused: RefusedRows;
  readonly #table: KeyedTable;
  readonly #most: number;

  constructor(table: KeyedTable, known: RefusedRows, most: number) {
    this.#table = table;
    this.refused = new Map(known);
    this.#most = most;
  }

  /** Whether more rows may be refused. */
  get room(): boolean {
    return this.refused.size <= this.#most;
  }

  /** Ids of rows that are not loaded. */
  *absent(): Generator<RowId> {
    for (const [id, { spared }] of this.refused) if (spared === 0) yield id;
  }

  isAbsent(id: RowId): boolean {
    return this.refused.get(id)?.spared === 0;
  }

  /** False when there are too many. */
  takeOrphans(found: ReturnType<typeof orphansOf>, { columns, parent, to }: ReferenceRule): boolean {
    const its = to.map((place) => parent.columns[place]?.target).join(", ");
    const reason = `has no row in ${parent.name} (${its})`;
    for (const { id, row, value } of found) {
      this.#add(id, row, { column: this.#names(columns), value, reason }, 0);
      if (!this.room) return false;
    }
    return true;
  }

  /** False when there are too many. */
  takeDuplicates(found: ReturnType<typeof duplicatesOf>, { columns }: UniqueRule): boolean {
    const reason = "is the key of an earlier row";
    for (const { id, row, value, same } of found) {
      this.#add(id, row, { column: this.#names(columns), value, reason }, same ? 1 : 0);
      if (!this.room) return false;
    }
    return true;
  }

  #names(columns: number[]): string {
    return columns.map((place) => this.#table.columns[place]?.target).join(", ");
  }

  #add(id: RowId, row: SourceRow, value: RejectedValue, spared: number): void {
    const known = this.refused.get(id);
    if (known === undefined) {
      this.refused.set(id, { key: describeKey(this.#table.read, row), values: [value], spared });
      return;
    }
    known.spared = Math.min(known.spared, spared);
    const isKnown = known.values.some((each) => each.column === value.column && each.reason === value.reason);
    if (!isKnown) known.values.push(value);
  }
}
