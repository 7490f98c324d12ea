import { withDeclared } from "./declared.ts";
import type { Interval } from "./interval.ts";
import { listMigrations, phases } from "./migration-files.ts";
import type { TimescaleObject } from "./objects/object.ts";
import { renderUp } from "./render.ts";
import type { MigrationContext } from "./timescale.ts";

/** An index that a migration declares, its columns as SQL has them: `"time" DESC` is `time desc`. */
export interface DeclaredIndex {
  name: string;
  columns: string[];
}

/** What a workload's migrations say of one table. */
export interface DeclaredTable {
  /** Column -> type with its constraints, in SQL's words. */
  columns: Record<string, string>;
  /** Empty for none. */
  primaryKey: string[];
  unique: string[][];
  indexes: DeclaredIndex[];
  /** How its chunks are laid out in the columnstore; null where it has none. */
  columnstore: { segmentBy: string[]; orderBy: string[] } | null;
  /** Age at which chunks move there; null where no policy moves them. */
  columnstoreAfter: Interval | null;
  /** Age at which chunks are dropped; null where none are. */
  retention: Interval | null;
}

const name = '"((?:[^"]|"")+)"';

/**
 * What the migrations of both phases declare, table by table, on the Community edition. Columns, keys and indexes are read
 * from the SQL that they render, so that files without the vocabulary count too; statements of other forms are not seen.
 */
export async function declaredTables(
  workloadDir: string,
  given: MigrationContext,
): Promise<Map<string, DeclaredTable>> {
  const context = await withDeclared(workloadDir, { ...given, edition: "community" });
  const files = phases.flatMap((phase) => listMigrations(workloadDir, phase));
  const rendered = await Promise.all(files.map((file) => renderUp(file, context)));
  const tables = new Map<string, DeclaredTable>();
  const tableOf = (quoted: string): DeclaredTable => {
    const found = tables.get(unquoted(quoted)) ?? emptyTable();
    tables.set(unquoted(quoted), found);
    return found;
  };
  for (const statement of rendered
    .flat()
    .join("\n")
    .split(/;[ \t]*(?:\n|$)/)) {
    readStatement(statement, tableOf);
  }
  for (const object of context.declared ?? []) readObject(object, tableOf);
  return tables;
}

/** A table of which nothing is declared. */
export function emptyTable(): DeclaredTable {
  return {
    ...{ columns: {}, primaryKey: [], unique: [], indexes: [] },
    ...{ columnstore: null, columnstoreAfter: null, retention: null },
  };
}

function readObject(object: TimescaleObject, tableOf: (name: string) => DeclaredTable): void {
  if (object.kind === "columnstore") {
    const { segmentBy, orderBy = [] } = object;
    tableOf(object.name).columnstore = { segmentBy, orderBy };
  } else if (object.kind === "columnstore policy") tableOf(object.name).columnstoreAfter = object.after;
  else if (object.kind === "retention") tableOf(object.name).retention = object.after;
}

function readStatement(sql: string, tableOf: (name: string) => DeclaredTable): void {
  const created = new RegExp(`^\\s*CREATE TABLE (?:IF NOT EXISTS )?(?:${name}\\.)?${name} \\(\\n`).exec(sql);
  if (created?.[2]) readColumns(sql, tableOf(created[2]));
  const altered = new RegExp(`^\\s*ALTER TABLE (?:ONLY )?(?:${name}\\.)?${name}`).exec(sql);
  if (altered?.[2]) readKeys(sql, tableOf(altered[2]));
  const index = new RegExp(
    `^\\s*CREATE (UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?${name} ON (?:${name}\\.)?${name} (?:USING \\w+ )?\\((.*)\\)`,
  ).exec(sql);
  if (index?.[2] && index[4] && index[5]) {
    const columns = list(index[5]);
    const table = tableOf(index[4]);
    if (index[1]) table.unique.push(columns.map((column) => column.replace(/ .*/, "")));
    else table.indexes.push({ name: unquoted(index[2]), columns });
  }
}

function readColumns(sql: string, table: DeclaredTable): void {
  for (const [, column = "", type = ""] of sql.matchAll(new RegExp(`^\\s+${name} (.+?),?$`, "gm"))) {
    table.columns[unquoted(column)] = type;
    if (/\bprimary key\b/i.test(type)) table.primaryKey = [unquoted(column)];
    if (/\bunique\b/i.test(type)) table.unique.push([unquoted(column)]);
  }
  readKeys(sql, table);
}

function readKeys(sql: string, table: DeclaredTable): void {
  const keys = /\b(PRIMARY KEY|UNIQUE)(?: NULLS (?:NOT )?DISTINCT)? \(([^)]*)\)/g;
  for (const [, kind, columns = ""] of sql.matchAll(keys)) {
    if (kind === "PRIMARY KEY") table.primaryKey = list(columns);
    else table.unique.push(list(columns));
  }
}

/** `"symbol", "time" DESC` as `symbol`, `time desc`. */
function list(sql: string): string[] {
  return sql
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .map((each) => {
      const [, column = each, rest = ""] = new RegExp(`^${name}(.*)$`).exec(each) ?? [];
      return unquoted(column) + rest.toLowerCase();
    });
}

function unquoted(text: string): string {
  return text.replaceAll('""', '"');
}
