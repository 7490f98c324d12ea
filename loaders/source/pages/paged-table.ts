import type { SourceValue } from "../../encode/value-problem.ts";
import { quoteIdentifier } from "../../identifier.ts";
import { affinityOf } from "../affinity.ts";
import type { Source } from "../open-source.ts";
import type { TableRead } from "../table-reader.ts";

/** A rowid table whose pages can be read without SQLite. */
export interface PagedTable {
  root: number;
  /** Of each column read, how it is stored. */
  columns: StoredColumn[];
  /** Values that every record may hold, also those of columns that are not read. */
  stored: number;
}

/** How one column of a table is stored. */
export interface StoredColumn {
  /** Position among the stored values; -1 where it is the rowid under another name. */
  at: number;
  /** REAL affinity: whole numbers in it are reals. */
  real: boolean;
}

/**
 * How a table's pages are to be read; null where only SQLite can read it: a view, a table without rowid, a condition,
 * an order by another column, a virtual or derived column, a text encoding other than UTF-8.
 */
export function pagedTable(source: Source, read: TableRead): PagedTable | null {
  if (read.rowid === null || read.where !== null) return null;
  if (source.pragma("encoding", { simple: true }) !== "UTF-8") return null;
  const root = source
    .prepare("SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .pluck()
    .get(read.table) as bigint | undefined;
  if (root === undefined || root === 0n) return null;
  const all = source
    .prepare("SELECT name, upper(type) AS type, hidden, pk FROM pragma_table_xinfo(?) ORDER BY cid")
    .all(read.table) as { name: string; type: string; hidden: bigint; pk: bigint }[];
  const stored = all.filter((column) => column.hidden !== 2n);
  const alias = rowidAlias(source, read.table, all);
  const columns: StoredColumn[] = [];
  for (const { name } of read.columns) {
    const at = stored.findIndex((column) => column.name === name);
    if (at < 0) return null;
    columns.push({ at: name === alias ? -1 : at, real: affinityOf(stored[at]?.type ?? "") === "REAL" });
  }
  return { root: Number(root), columns, stored: stored.length };
}

/** An INTEGER PRIMARY KEY is the rowid, unless an index of its own keeps it (… PRIMARY KEY DESC). */
function rowidAlias(
  source: Source,
  table: string,
  columns: { name: string; type: string; pk: bigint }[],
): string | null {
  const key = columns.filter((column) => column.pk > 0n);
  if (key.length !== 1 || key[0]?.type !== "INTEGER") return null;
  const index = source.prepare("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'").get(table);
  return index === undefined ? key[0].name : null;
}

/** Reads one row through SQLite; it knows what columns added later hold in rows that are older. */
export function olderRows(source: Source, read: TableRead): (rowid: number) => SourceValue[] {
  const columns = read.columns.map(({ expression }) => expression).join(", ");
  const row = source
    .prepare(`SELECT ${columns} FROM ${quoteIdentifier(read.table)} WHERE ${read.rowid} = ?`)
    .raw(true);
  return (rowid) => row.get(BigInt(rowid)) as SourceValue[];
}
