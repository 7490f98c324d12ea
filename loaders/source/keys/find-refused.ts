import type { RejectedValue } from "../../reject.ts";
import type { Source } from "../open-source.ts";
import type { RefusedRows } from "../refused-rows.ts";
import { describeKey } from "../reject-row.ts";
import type { RowId } from "../row-id.ts";
import type { SourceRow } from "../table-reader.ts";
import { duplicatesOf } from "./duplicates.ts";
import type { KeyedTable, KeyFindings, KeysJob, ReferenceRule, UniqueRule } from "./keyed-table.ts";
import { type Orphan, orphansOf } from "./orphans.ts";
import { unfitRows } from "./unfit-rows.ts";
import { isKeptBySource } from "./unique-proof.ts";

/**
 * Finds the rows of a table that its keys refuse: those whose parent is not loaded, and of the others those which have
 * the key of an earlier one. A row with a value that does not fit is not loaded either, and stands in nobody's way.
 */
export function findRefused(at: { source: Source; path: string }, job: KeysJob): KeyFindings {
  const { source } = at;
  const { table, references, most } = job;
  const unfit = unfitRows(at, table, job.doubtful, most);
  const unfitIds = new Set(unfit);
  const orphans = new RefusedSoFar(table, most, job.orphans);
  let duplicates = new RefusedSoFar(table, most);
  const takeOrphans = (rule: ReferenceRule, absent: Set<RowId>) => {
    const { columns, parent, to } = rule;
    const names = (of: KeyedTable, places: number[]) => places.map((at) => of.columns[at]?.target).join(", ");
    const reason = `has no row in ${parent.name} (${names(parent, to)})`;
    const found = function* (rows: Iterable<Orphan>) {
      for (const { id, row, value } of rows) {
        yield { id, row, values: [{ column: names(table, columns), value, reason }], same: false };
      }
    };
    orphans.take(found(orphansOf(source, table, rule, absent)));
  };
  for (const rule of references) if (rule.absent !== null) takeOrphans(rule, new Set(rule.absent));
  const own = references.filter(({ absent }) => absent === null);
  const doubtful = job.unique.filter((rule: UniqueRule) => !isKeptBySource(source, table, rule));
  for (let before = -1; before < orphans.rows.size && orphans.room; ) {
    before = orphans.rows.size;
    duplicates = new RefusedSoFar(table, most);
    const skip = (id: RowId) => unfitIds.has(id) || orphans.rows.has(id);
    duplicates.take(duplicatesOf(source, table, doubtful, skip));
    // A row that goes takes those along that refer to it.
    if (!duplicates.room || own.length === 0) break;
    const absent = new Set([...unfitIds, ...orphans.rows.keys(), ...duplicates.absent()]);
    for (const rule of own) takeOrphans(rule, absent);
  }
  // Too many unfit rows end the load where they are read.
  const complete = orphans.room && duplicates.room;
  return { orphans: orphans.rows, duplicates: duplicates.rows, unfit, complete };
}

interface Found {
  id: RowId;
  row: SourceRow;
  values: RejectedValue[];
  /** Whether the first row of that id is loaded. */
  same: boolean;
}

/** Refused rows as they are found. */
class RefusedSoFar {
  readonly rows: RefusedRows;
  readonly #table: KeyedTable;
  readonly #most: number;

  constructor(table: KeyedTable, most: number, known: RefusedRows = new Map()) {
    this.rows = new Map(known);
    this.#table = table;
    this.#most = most;
  }

  /** Whether more rows may be refused. */
  get room(): boolean {
    return this.rows.size <= this.#most;
  }

  /** Ids of rows that are not loaded. */
  *absent(): Generator<RowId> {
    for (const [id, { spared }] of this.rows) if (spared === 0) yield id;
  }

  /** Takes rows as long as there is room. */
  take(found: Iterable<Found>): void {
    if (!this.room) return;
    for (const { id, row, values, same } of found) {
      const known = this.rows.get(id) ?? { key: describeKey(this.#table.read, row), values: [], spared: 1 };
      this.rows.set(id, known);
      if (!same) known.spared = 0;
      for (const value of values) {
        const isKnown = known.values.some(({ column, reason }) => {
          return column === value.column && reason === value.reason;
        });
        if (!isKnown) known.values.push(value);
      }
      if (!this.room) return;
    }
  }
}
