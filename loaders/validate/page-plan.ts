import type { ResolvedTable } from "../resolve-table.ts";
import type { Source } from "../source/open-source.ts";
import type { PageSource } from "./sqlite-file/page-source.ts";

/** Where a compared column lies in a record of the file. */
export interface StoredColumn {
  /** Position among the stored columns; -1 for the one that is another name of the rowid. */
  index: number;
  /** Whether its affinity is REAL: whole numbers in it are reals that were stored short. */
  real: boolean;
}

/** How a table is read from the file's own pages. */
export interface PagePlan {
  root: number;
  columns: StoredColumn[];
}

/** Plans the reading of a table from its pages; undefined for what only SQLite itself can read. */
export function planPages(table: ResolvedTable, source: Source, file: PageSource): PagePlan | undefined {
  const { name, kind, rowid, columns, primaryKey } = table.source;
  if (kind !== "table" || rowid === null || table.where !== null) return undefined;
  if (file.encoding !== 1 || file.wal) return undefined;
  if (columns.some(({ generated }) => generated === "virtual")) return undefined;
  if (table.columns.some((column) => column.source === null)) return undefined;
  // Its text is cast by the server, many rows at a time.
  if (table.columns.some(({ type }) => type.kind === "jsonb")) return undefined;
  const root = source
    .prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)")
    .pluck()
    .get(name) as bigint | undefined;
  if (root === undefined || root < 1n) return undefined;
  const key = primaryKey.length === 1 ? columns.findIndex((column) => column.name === primaryKey[0]) : -1;
  const isAlias =
    key >= 0 && columns[key]?.declaredType.toUpperCase() === "INTEGER" && !hasKeyIndex(source, name);
  return {
    root: Number(root),
    columns: table.columns.map((column) => {
      const index = columns.findIndex((each) => each.name === column.source);
      const declared = columns[index]?.declaredType ?? "";
      return { index: isAlias && index === key ? -1 : index, real: isReal(declared) };
    }),
  };
}

/** A primary key with an index of its own is no name of the rowid, whatever its type is. */
function hasKeyIndex(source: Source, table: string): boolean {
  return source.prepare("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'").get(table) !== undefined;
}

/** SQLite's own rule, in its order. */
function isReal(declaredType: string): boolean {
  if (/INT|CHAR|CLOB|TEXT|BLOB/i.test(declaredType)) return false;
  return /REAL|FLOA|DOUB/i.test(declaredType);
}
