import type Database from "better-sqlite3";
import type pg from "pg";
import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import { readRows } from "../reverse/binary-rows.ts";
import type { ReverseColumn, ReverseSource, ReverseTable } from "../reverse/reverse-plan.ts";
import { exactName, refusedName, rowidColumn, sidecarName } from "../reverse/sidecar-names.ts";
import { affinityOf } from "../source/affinity.ts";
import type { ExportFile } from "./export-file.ts";
import { type MergedSide, mergeRule } from "./merge-side.ts";
import { createSidecar, readDefaults } from "./sidecar.ts";

/** What filling a file needs. */
export interface FillContext {
  client: pg.ClientBase;
  file: ExportFile;
  /** Told of a table's rows while they are written. */
  onRows(table: string, rows: number): void;
  signal?: AbortSignal;
}

/** A table whose rows were written into the application's own. */
export interface FilledMain {
  table: ReverseTable;
  source: ReverseSource;
  rows: number;
  /** Rows that the application's table refuses. */
  refused: number;
  /** Rows that it holds only nearly: SQLite has no minus zero in a column of numbers. */
  inexact: number;
  /** Columns by which a row of the sidecar finds the application's row. */
  link: { source: string; target: string }[];
  defaults: Map<string, SourceValue>;
  /** Rowids of the sidecar that differ from the defaults, so that they have to stay; a table of this connection. */
  apart: string;
}

/** Writes the rows of one source table, from the tables that they come from; sides must be written before. */
export async function fillMain(
  context: FillContext,
  source: ReverseSource,
  table: ReverseTable,
  sides: MergedSide[],
): Promise<FilledMain> {
  const { client, file } = context;
  const { database } = file;
  const { columns, extras, target } = table;
  const derived = extras.filter(({ natural }) => natural !== null);
  const { values: defaults, differs } = await readDefaults(client, table);
  const link = linkOf(source, table);
  const sidecar = extras.length === 0 ? null : prepareSidecar(database, table, link);
  const insert = insertStatement(database, source, table, sides);
  const width = columns.length;
  const isKept = derived.length > 0;
  const at = link.map(({ target: name }) =>
    columns.findIndex((column) => column.target === name && column.source !== null),
  );
  let rows = 0;
  let refused = 0;
  let inexact = 0;
  let refuse: ((row: SourceValue[]) => void) | undefined;
  let keepExact: ((row: SourceValue[]) => void) | undefined;
  const typed = link.length === 0 ? [] : numberColumns(source, columns);
  const bound: SourceValue[] = new Array(width).fill(null);
  const read = [
    ...[...columns, ...extras].map(({ sql, type }) => ({ sql, type })),
    { sql: `(${differs})`, type: { kind: "bool" } as const },
  ];
  const rest = `FROM ${quoteIdentifier(target.name)}${orderOf(source, table)}`;
  await readRows(client, read, rest, (row) => {
    context.signal?.throwIfAborted();
    file.ready();
    for (let i = 0; i < width; i += 1) bound[i] = (columns[i] as ReverseColumn).speller.write(row[i] ?? null);
    const differing = row[width + extras.length] === true;
    const beside = () => extras.map(({ speller }, i) => speller.write(row[width + i] ?? null));
    rows += 1;
    if (rows % 10_000 === 0) context.onRows(target.name, rows);
    let rowid: number | bigint;
    try {
      rowid = insert.run(bound).lastInsertRowid;
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith("SQLITE_CONSTRAINT")) throw error;
      refuse ??= wholeRows(database, table, refusedName(target.name));
      refuse([...bound, ...beside()]);
      refused += 1;
      return;
    }
    if (typed.some((i) => Object.is(bound[i], -0))) {
      keepExact ??= wholeRows(database, table, exactName(target.name));
      keepExact([...bound, ...beside()]);
      inexact += 1;
      return;
    }
    if (sidecar === null || (!isKept && !differing)) return;
    const key = link.length === 0 ? [rowid] : at.map((i) => bound[i] as SourceValue);
    sidecar.add([...key, ...beside()], differing);
  });
  context.onRows(target.name, rows);
  const apart = sidecar?.apart ?? "";
  return { table, source, rows, refused, inexact, link, defaults, apart };
}

/** Writes a table's rows as they are, all of them, into a table of the file's own. */
export async function fillSidecar(
  { client, file, onRows, signal }: FillContext,
  { target, columns, extras }: ReverseTable,
  add: (row: SourceValue[], differing: boolean) => void,
  differs = "false",
): Promise<number> {
  const all = [...columns, ...extras];
  const order = target.primaryKey.map((name) => targetOrder(target.columns, name)).join(", ");
  let rows = 0;
  await readRows(
    client,
    [...all.map(({ sql, type }) => ({ sql, type })), { sql: `(${differs})`, type: { kind: "bool" } }],
    `FROM ${quoteIdentifier(target.name)}${order && ` ORDER BY ${order}`}`,
    (row) => {
      signal?.throwIfAborted();
      file.ready();
      add(
        all.map(({ speller }, i) => speller.write(row[i] ?? null)),
        row[all.length] === true,
      );
      rows += 1;
      if (rows % 10_000 === 0) onRows(target.name, rows);
    },
  );
  onRows(target.name, rows);
  return rows;
}

/** How rows are found again: by the key that the target keeps, else by their rowid. */
function linkOf({ source }: ReverseSource, { key }: ReverseTable): FilledMain["link"] {
  return key.length > 0 || source.rowid === null ? key : [];
}

function prepareSidecar(
  database: Database.Database,
  { target, extras }: ReverseTable,
  link: FilledMain["link"],
): { add(row: SourceValue[], differing: boolean): void; apart: string } {
  const name = sidecarName(target.name);
  const key = link.length === 0 ? [rowidColumn] : link.map((each) => each.target);
  const columns = [...key, ...extras.map((column) => column.target)];
  return keptApart(database, target.name, createSidecar(database, name, columns, key));
}

/** Adds rows to a sidecar, and keeps the rowids of those that differ from the defaults in a temporary table, `apart`. */
export function keptApart(
  database: Database.Database,
  target: string,
  insert: (row: SourceValue[]) => number | bigint,
): { add(row: SourceValue[], differing: boolean): void; apart: string } {
  const apart = `temp.${quoteIdentifier(`apart_${target}`)}`;
  database.exec(`CREATE TABLE ${apart} (row INTEGER PRIMARY KEY)`);
  const note = database.prepare(`INSERT INTO ${apart} VALUES (?)`);
  return {
    apart,
    add(row, differing) {
      const rowid = insert(row);
      if (differing) note.run(BigInt(rowid));
    },
  };
}

/** Positions of columns in which SQLite turns a real into the same number of another class, where there is one. */
function numberColumns({ source }: ReverseSource, columns: ReverseColumn[]): number[] {
  return columns.flatMap(({ source: name, type }, i) => {
    const declared = source.columns.find((column) => column.name === name)?.declaredType ?? "";
    const isReal = type?.kind === "float8" || type?.kind === "float4";
    return isReal && affinityOf(declared) !== "BLOB" ? [i] : [];
  });
}

/** A table of whole rows, made when there is one. */
function wholeRows(database: Database.Database, { columns, extras }: ReverseTable, name: string) {
  return createSidecar(
    database,
    name,
    [...columns, ...extras].map((column) => column.target),
  );
}

/** What sides hold of a row is looked up while it is inserted, for its columns may be NOT NULL. */
function insertStatement(
  database: Database.Database,
  { source }: ReverseSource,
  { columns }: ReverseTable,
  sides: MergedSide[],
): Database.Statement {
  const names = columns.map((column) => column.source as string);
  const values = names.map((_, i) => `given.v${i}`);
  const placeholders = names.map(() => "?").join(", ");
  for (const side of sides) {
    const rule = mergeRule(side, (name) => `given.v${columns.findIndex((column) => column.source === name)}`);
    for (const column of side.table.columns) {
      const to = column.source as string;
      if (names.includes(to)) continue;
      names.push(to);
      values.push(`(SELECT ${quoteIdentifier(column.target)} ${rule})`);
    }
  }
  const into = `INSERT INTO ${quoteIdentifier(source.name)} (${names.map(quoteIdentifier).join(", ")})`;
  if (names.length === columns.length) return database.prepare(`${into} VALUES (${placeholders})`);
  const given = columns.map((_, i) => `v${i}`).join(", ");
  return database.prepare(
    `WITH given (${given}) AS (VALUES (${placeholders})) ${into} SELECT ${values.join(", ")} FROM given`,
  );
}

/** The order of a key that the target holds: rows then come in the order of the file's own index. */
function orderOf({ source }: ReverseSource, { columns, target }: ReverseTable): string {
  const candidates = [source.primaryKey, ...source.unique].map((names) =>
    names.flatMap((name) => columns.find((column) => column.source === name) ?? []),
  );
  const wanted = [source.primaryKey, ...source.unique].findIndex(
    (names, i) => names.length > 0 && candidates[i]?.length === names.length,
  );
  const names = candidates[wanted]?.map(({ sql, type }) => ordered(sql, type?.kind)) ?? [];
  const rest = target.primaryKey.map((name) => targetOrder(target.columns, name));
  const order = [...new Set([...names, ...rest])];
  return order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
}

function targetOrder(columns: ReverseTable["target"]["columns"], name: string): string {
  return ordered(quoteIdentifier(name), columns.find((column) => column.name === name)?.type?.kind);
}

function ordered(sql: string, kind: string | undefined): string {
  return kind === "text" ? `${sql} COLLATE "C"` : sql;
}
