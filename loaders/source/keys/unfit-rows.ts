import { CopyBuffer } from "../../encode/copy-buffer.ts";
import { ValueProblem } from "../../encode/value-problem.ts";
import type { Source } from "../open-source.ts";
import { DatabaseFile } from "../pages/database-file.ts";
import { olderRows, type PagedTable, pagedTable } from "../pages/paged-table.ts";
import { RowWriter } from "../pages/row-writer.ts";
import { StoredRecord } from "../pages/stored-record.ts";
import { TableCursor } from "../pages/table-cursor.ts";
import { idOf } from "../refused-rows.ts";
import type { RowId } from "../row-id.ts";
import { type RowRange, readBatches } from "../table-reader.ts";
import type { KeyedTable } from "./keyed-table.ts";
import { fitCheck } from "./row-check.ts";

/** The rows in some ranges with a value that its target column cannot hold; `most` and one more at most. */
export function unfitRows(
  { source, path }: { source: Source; path: string },
  table: KeyedTable,
  ranges: RowRange[],
  most: number,
): RowId[] {
  const paged = ranges.length === 0 ? null : pagedTable(source, table.read);
  const found: RowId[] = [];
  for (const range of ranges) {
    const byPages = paged !== null && range.beyond === undefined && range.rowids === undefined;
    const unfit = byPages
      ? fromPages(source, path, table, paged, range)
      : throughSqlite(source, table, range);
    for (const id of unfit) {
      found.push(id);
      if (found.length > most) return found;
    }
  }
  return found;
}

function* throughSqlite(source: Source, table: KeyedTable, range: RowRange): Generator<RowId> {
  const fits = fitCheck(source, table);
  for (const batch of readBatches(source, table.read, range)) {
    for (const row of batch) if (!fits(row)) yield idOf(table.read, row);
  }
}

function* fromPages(
  source: Source,
  path: string,
  { read, columns }: KeyedTable,
  paged: PagedTable,
  { lo, hi }: RowRange,
): Generator<RowId> {
  using file = new DatabaseFile(path);
  const record = new StoredRecord(paged.stored);
  const [first, last] = [Number(lo ?? Number.NEGATIVE_INFINITY), Number(hi ?? Number.POSITIVE_INFINITY)];
  const cursor = new TableCursor(file, paged.root, record, first, last);
  const writer = new RowWriter(columns, paged.columns, olderRows(source, read));
  const out = new CopyBuffer(65536);
  const none = new Uint32Array();
  while (cursor.next()) {
    out.at = 0;
    try {
      writer.write(record, out, none, none);
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      yield record.rowid;
    }
  }
}
