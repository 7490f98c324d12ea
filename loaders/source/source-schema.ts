import { didYouMean } from "../nearest-name.ts";
import { TimeliftError } from "../timelift-error.ts";
import type { Source } from "./open-source.ts";

/** One column of a source table. */
export interface SourceColumn {
  name: string;
  /** The declared type as written, `""` for none. SQLite does not enforce it. */
  declaredType: string;
  notNull: boolean;
  /** SQL text of the default, null for none. */
  defaultSql: string | null;
  generated: "no" | "virtual" | "stored";
}

export interface SourceForeignKey {
  columns: string[];
  table: string;
  /** Referenced columns; empty means the other table's primary key. */
  references: string[];
}

/** One table or view of the source. */
export interface SourceTable {
  name: string;
  kind: "table" | "view" | "virtual";
  /** In table order; hidden columns of virtual tables are left out. */
  columns: SourceColumn[];
  /** Column names in key order; empty for none. */
  primaryKey: string[];
  /** A name that reaches the rowid, null for a view or a table without one. */
  rowid: string | null;
  /** Column sets of UNIQUE constraints and plain unique indexes, without the primary key. */
  unique: string[][];
  foreignKeys: SourceForeignKey[];
  /** Why SQLite cannot read it (a view over a table that is gone, a module that is missing); absent when it can. */
  broken?: string;
}

/** Source table name -> table. Internal and shadow tables are left out. */
export type SourceSchema = Map<string, SourceTable>;

interface TableRow {
  name: string;
  type: string;
  wr: bigint;
}

/**
 * Reads the tables and views of a source, with their columns and keys. One that SQLite itself cannot read is there
 * too, without columns: only who loads it is concerned.
 */
export function readSourceSchema(source: Source): SourceSchema {
  const rows = source
    .prepare("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' ORDER BY name")
    .all() as TableRow[];
  const schema: SourceSchema = new Map();
  for (const row of rows) {
    if (row.type === "shadow" || row.name.startsWith("sqlite_")) continue;
    schema.set(row.name, readWorkingTable(source, row));
  }
  return schema;
}

/**
 * The table of that name, as SQLite would find it (letter case does not matter).
 * @throws TimeliftError source-table-missing, which names what exists instead; source-table-broken
 */
export function findSourceTable(schema: SourceSchema, name: string): SourceTable {
  const exact = schema.get(name);
  if (exact !== undefined) return working(exact);
  for (const table of schema.values())
    if (table.name.toLowerCase() === name.toLowerCase()) return working(table);
  throw new TimeliftError({
    code: "source-table-missing",
    subject: `source table ${name}`,
    problem: `the loader expects it, but the source has no such table or view. It has: ${[...schema.keys()].join(", ")}.${didYouMean(name, schema.keys())}`,
    remedy: `Name the right table with "from" in the loader, or point the source at the right file.`,
  });
}

function working(table: SourceTable): SourceTable {
  if (table.broken === undefined) return table;
  throw new TimeliftError({
    code: "source-table-broken",
    subject: `source ${table.kind} ${table.name}`,
    problem: `SQLite cannot read it: ${table.broken}.`,
    remedy: "Mend or drop it in the source, or take it out of the loader.",
  });
}

function readWorkingTable(source: Source, row: TableRow): SourceTable {
  try {
    return readTable(source, row);
  } catch (error) {
    // SQLITE_ERROR is about this statement; damage, locks and the like concern the whole file.
    if ((error as { code?: string }).code !== "SQLITE_ERROR") throw error;
    const empty = { columns: [], primaryKey: [], rowid: null, unique: [], foreignKeys: [] };
    return { name: row.name, kind: kindOf(row), ...empty, broken: (error as Error).message };
  }
}

function kindOf(row: TableRow): SourceTable["kind"] {
  return row.type === "view" ? "view" : row.type === "virtual" ? "virtual" : "table";
}

function readTable(source: Source, row: TableRow): SourceTable {
  const info = source
    .prepare('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid')
    .all(row.name) as {
    name: string;
    type: string;
    notnull: bigint;
    dflt_value: string | null;
    pk: bigint;
    hidden: bigint;
  }[];
  const columns = info
    .filter((column) => column.hidden !== 1n)
    .map(
      (column): SourceColumn => ({
        name: column.name,
        declaredType: column.type,
        notNull: column.notnull === 1n,
        defaultSql: column.dflt_value,
        generated: column.hidden === 2n ? "virtual" : column.hidden === 3n ? "stored" : "no",
      }),
    );
  const kind = kindOf(row);
  return {
    name: row.name,
    kind,
    columns,
    primaryKey: info
      .filter((column) => column.pk > 0n)
      .sort((a, b) => Number(a.pk - b.pk))
      .map((column) => column.name),
    rowid: kind === "table" && row.wr === 0n ? rowidName(columns) : null,
    unique: kind === "table" ? readUnique(source, row.name) : [],
    foreignKeys: kind === "table" ? readForeignKeys(source, row.name) : [],
  };
}

/** A column may bear the name of the rowid and hide it; then another of its three names reaches it. */
function rowidName(columns: SourceColumn[]): string | null {
  const taken = new Set(columns.map((column) => column.name.toLowerCase()));
  return ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name)) ?? null;
}

function readUnique(source: Source, table: string): string[][] {
  const indexes = source
    .prepare("SELECT name FROM pragma_index_list(?) WHERE \"unique\" = 1 AND origin <> 'pk' AND partial = 0")
    .pluck()
    .all(table) as string[];
  return indexes
    .map(
      (index) =>
        source.prepare("SELECT name FROM pragma_index_info(?) ORDER BY seqno").pluck().all(index) as (
          | string
          | null
        )[],
    )
    .filter((names): names is string[] => names.every((name) => name !== null));
}

function readForeignKeys(source: Source, table: string): SourceForeignKey[] {
  const rows = source
    .prepare('SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq')
    .all(table) as { id: bigint; table: string; from: string; to: string | null }[];
  const keys = new Map<bigint, SourceForeignKey>();
  for (const row of rows) {
    const key = keys.get(row.id) ?? { columns: [], table: row.table, references: [] };
    key.columns.push(row.from);
    if (row.to !== null) key.references.push(row.to);
    keys.set(row.id, key);
  }
  return [...keys.values()];
}
