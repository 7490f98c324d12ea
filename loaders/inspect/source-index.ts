import type { Source } from "../source/open-source.ts";

/** A plain index of a source table, one that is no key. */
export interface SourceIndex {
  name: string;
  /** Column names, each followed by ` desc` where it descends. */
  columns: string[];
  unique: boolean;
  /** True where it covers only some rows, or an expression: the words of a migration have no equal. */
  special: boolean;
}

/** The indexes of a table that were made by CREATE INDEX, in the order of their names. */
export function readIndexes(source: Source, table: string): SourceIndex[] {
  const rows = source
    .prepare("SELECT name, \"unique\", partial FROM pragma_index_list(?) WHERE origin = 'c' ORDER BY name")
    .all(table) as { name: string; unique: bigint; partial: bigint }[];
  return rows.map(({ name, unique, partial }) => {
    const columns = source
      .prepare('SELECT name, "desc" FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno')
      .all(name) as { name: string | null; desc: bigint }[];
    return {
      name,
      columns: columns.map((column) => `${column.name}${column.desc === 1n ? " desc" : ""}`),
      unique: unique === 1n,
      special: partial === 1n || columns.some((column) => column.name === null),
    };
  });
}

/**
 * Counts the rows of a table whose foreign keys lead nowhere, by the key's place in the schema. SQLite enforces no
 * foreign key unless the application asks for it at every connection. Null where it cannot be checked.
 */
export function countOrphans(source: Source, table: string): Map<number, number> | null {
  try {
    const rows = source
      .prepare("SELECT fkid, count(*) AS rows FROM pragma_foreign_key_check(?) GROUP BY fkid")
      .all(table) as { fkid: bigint; rows: bigint }[];
    return new Map(rows.map(({ fkid, rows: count }) => [Number(fkid), Number(count)]));
  } catch {
    return null;
  }
}
