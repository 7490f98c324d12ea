import type { EncodedColumn } from "../../encode/row-encoder.ts";
import type { RefusedRows } from "../refused-rows.ts";
import type { RowId } from "../row-id.ts";
import type { SourceTable } from "../source-schema.ts";
import type { RowRange, TableRead } from "../table-reader.ts";

/** A table as its keys are looked at. Plain data: it crosses threads. */
export interface KeyedTable {
  /** Target table. */
  name: string;
  source: SourceTable;
  read: TableRead;
  /** One for each column read. */
  columns: EncodedColumn[];
}

/** Columns, by their positions, whose values no two rows may have in common. */
export interface UniqueRule {
  columns: number[];
  nullsDistinct: boolean;
}

/** Columns whose values a row of another table must have. */
export interface ReferenceRule {
  columns: number[];
  parent: KeyedTable;
  /** Positions among the parent's columns. */
  to: number[];
  /** Rows of the parent that are not loaded; null where the parent is the table itself. */
  absent: RowId[] | null;
}

/** What to look for in one table. Plain data: it crosses threads. */
export interface KeysJob {
  table: KeyedTable;
  unique: UniqueRule[];
  references: ReferenceRule[];
  /** Orphans that are known already. */
  orphans: RefusedRows;
  /** Where rows may be whose values do not fit, if rows refer to this table and they have to be known; else empty. */
  doubtful: RowRange[];
  /** Rows after which the search ends: nobody reads that many rejects. */
  most: number;
}

/** Rows of a table that cannot be loaded. */
export interface KeyFindings {
  orphans: RefusedRows;
  duplicates: RefusedRows;
  /** The `doubtful` rows with a value that does not fit. */
  unfit: RowId[];
  /** False when the search ended early. */
  complete: boolean;
}
