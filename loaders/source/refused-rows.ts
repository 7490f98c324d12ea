import type { RejectedValue } from "../reject.ts";
import { type RowId, valuesId } from "./row-id.ts";
import type { SourceRow, TableRead } from "./table-reader.ts";

/** A row that is not to be loaded although each of its values fits. Plain data: it crosses threads. */
export interface RefusedRow {
  /** The row as a person finds it. */
  key: string;
  /** What stands in its way. */
  values: RejectedValue[];
  /** Of rows that have no rowid and the same values, how many are loaded nevertheless, the first ones. */
  spared: number;
}

/** Rows of one table that its keys refuse. */
export type RefusedRows = Map<RowId, RefusedRow>;

/** The id of a row that was read with all its columns, or at least its rowid. */
export function idOf(read: TableRead, row: SourceRow): RowId {
  return read.rowid === null ? valuesId(row.slice(1)) : Number(row[0]);
}

/** Decides row by row, in the order of reading, whether the keys refuse it. */
export class Refusals {
  readonly #rows: RefusedRows;
  readonly #spared = new Map<RowId, number>();

  constructor(rows: RefusedRows = new Map()) {
    this.#rows = rows;
  }

  /** Whether there is any row to refuse. */
  get any(): boolean {
    return this.#rows.size > 0;
  }

  /** What stands in the way of the next row of that id; undefined where nothing does. */
  next(id: RowId): RejectedValue[] | undefined {
    const refused = this.#rows.get(id);
    if (refused === undefined || refused.spared === 0) return refused?.values;
    const spared = this.#spared.get(id) ?? 0;
    this.#spared.set(id, spared + 1);
    return spared < refused.spared ? undefined : refused.values;
  }
}
