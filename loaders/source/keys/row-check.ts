import { CopyBuffer } from "../../encode/copy-buffer.ts";
import { rowEncoder } from "../../encode/row-encoder.ts";
import { describeValue, type SourceValue, ValueProblem } from "../../encode/value-problem.ts";
import type { Source } from "../open-source.ts";
import { rejectRow } from "../reject-row.ts";
import type { RowId } from "../row-id.ts";
import { type SourceRow, selectSql, type TableRead } from "../table-reader.ts";
import type { KeyedTable } from "./keyed-table.ts";

/** Returns a function that says whether every value of a row fits its target column. */
export function fitCheck(source: Source, { read, columns }: KeyedTable): (row: SourceRow) => boolean {
  const encode = rowEncoder(columns, 1);
  const reject = rejectRow(source, read, columns);
  const out = new CopyBuffer(4096);
  return (row) => {
    out.at = 0;
    out.suspect = false;
    try {
      encode(row, out);
    } catch (error) {
      if (error instanceof ValueProblem) return false;
      throw error;
    }
    return !out.suspect || reject(row) === null;
  };
}

/** Returns a function that reads one row with all its columns. */
export function rowReader(source: Source, read: TableRead): (rowid: RowId) => SourceRow {
  const statement = source.prepare(`${selectSql(source, read)} WHERE ${read.rowid} = ?`).raw(true);
  return (rowid) => statement.get(BigInt(rowid)) as SourceRow;
}

/** A table read with some of its columns only, where its rows are known by their rowids. */
export function narrowed(read: TableRead, places: number[]): TableRead {
  if (read.rowid === null) return read;
  return { ...read, columns: places.flatMap((place) => read.columns[place] ?? []) };
}

/** Where the columns at `places` stand in a row that was read by `narrowed`. */
export function placesIn(read: TableRead, places: number[]): number[] {
  return places.map((place, i) => 1 + (read.rowid === null ? place : i));
}

/** Values as a reject shows them. */
export function describeValues(values: SourceValue[]): string {
  return values.map((value) => describeValue(value)).join(", ");
}
