import { listMigrations, phases } from "./migration-files.ts";
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
  /** Age at which chunks are dropped, as PostgreSQL's interval reads it; null where none are. */
  retention: string | null;
}

const name = '"((?:[^"]|"")+)"';

/**
 * What the migrations of both phases declare, table by table, read from the SQL that they render for the Community
 * edition: so it holds for files that do not use the vocabulary too. Statements of other forms are not seen.
 */
export async function declaredTables(
  workloadDir: string,
  context: MigrationContext,
): Promise<Map<string, DeclaredTable>> {
  const files = phases.flatMap((phase) => listMigrations(workloadDir, phase));
  const rendered = await Promise.all(
    files.map((file) => renderUp(file, { ...context, edition: "community" })),
  );
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
  return tables;
}

function emptyTable(): DeclaredTable {
  return { columns: {}, primaryKey: [], unique: [], indexes: [], columnstore: null, retention: null };
}

function readStatement(sql: string, tableOf: (name: string) => DeclaredTable): void {
  const created = new RegExp(`^\\s*CREATE TABLE (?:IF NOT EXISTS )?(?:${name}\\.)?${name} \\(\\n`).exec(sql);
  if (created?.[2]) readColumns(sql, tableOf(created[2]));
  const altered = new RegExp(`^\\s*ALTER TABLE (?:ONLY )?(?:${name}\\.)?${name}`).exec(sql);
  if (altered?.[2]) {
    readKeys(sql, tableOf(altered[2]));
    readColumnstore(sql, tableOf(altered[2]));
  }
  const index = new RegExp(
    `^\\s*CREATE (UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?${name} ON (?:${name}\\.)?${name} (?:USING \\w+ )?\\((.*)\\)`,
  ).exec(sql);
  if (index?.[2] && index[4] && index[5]) {
    const columns = list(index[5]);
    const table = tableOf(index[4]);
    if (index[1]) table.unique.push(columns.map((column) => column.replace(/ .*/, "")));
    else table.indexes.push({ name: unquoted(index[2]), columns });
  }
  const retention = /add_retention_policy\(\s*'"?([^'"]+)"?'[^;]*?INTERVAL '([^']+)'/i.exec(sql);
  if (retention?.[1] && retention[2]) tableOf(retention[1]).retention = retention[2];
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

function readColumnstore(sql: string, table: DeclaredTable): void {
  if (!/timescaledb\.(?:enable_columnstore|compress) = true/.test(sql)) return;
  const setting = (names: string) =>
    new RegExp(`timescaledb\\.(?:${names}) = '([^']*)'`).exec(sql)?.[1] ?? "";
  table.columnstore = {
    segmentBy: list(setting("segmentby|compress_segmentby")),
    orderBy: list(setting("orderby|compress_orderby")),
  };
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
