import type pg from "pg";
import {
  type LoaderDefinition,
  loadedEntries,
  sourceNameOf,
  type TableDefinition,
} from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import { type MappedColumn, mapColumns } from "../resolve-table.ts";
import {
  findSourceTable,
  type SourceColumn,
  type SourceSchema,
  type SourceTable,
} from "../source/source-schema.ts";
import {
  readTargetTable,
  type TargetColumn,
  type TargetTable,
  type TargetType,
  toType,
} from "../target-table.ts";
import { TimeliftError } from "../timelift-error.ts";
import type { SourceRecord } from "./source-record.ts";
import { type SpelledColumn, Speller } from "./spelling.ts";

/** One value of a target row on its way back. */
export interface ReverseColumn {
  /** The source column that it goes to; null where the source has none, so that it goes to a sidecar. */
  source: string | null;
  /** Its name in the target; of a `reverse` expression, the source column's. */
  target: string;
  /** Whether the target has no such column: the value comes from a `reverse` expression alone. */
  dropped: boolean;
  /** SQL of PostgreSQL over the target row. */
  sql: string;
  type: TargetType | null;
  speller: Speller;
  /** What a load works out for it from the source row (a derived column, or one that SQLite generates); else null. */
  natural: Pick<MappedColumn, "expression" | "lookup"> | null;
}

/** How the rows of one target table go back into a source table. */
export interface ReverseTable {
  target: TargetTable;
  definition: TableDefinition;
  /** Values of source columns, each once. */
  columns: ReverseColumn[];
  /** Values that the source has no column for. */
  extras: ReverseColumn[];
  /**
   * Source columns that say which row it is, each with the target column that holds it; empty where the target keeps no
   * key of the source.
   */
  key: { source: string; target: string }[];
}

/** How one source table is made of target tables. */
export interface ReverseSource {
  source: SourceTable;
  /** Tables whose rows become rows of the source table. */
  mains: ReverseTable[];
  /** Tables whose rows were taken from columns of the same source rows; they are merged back. */
  sides: ReverseTable[];
  /** The INTEGER PRIMARY KEY that the target dropped: rows are numbered anew, in the order of their key. */
  numbered: string | null;
  /** Set where the loader says that nothing is loaded from it (`from: none`), and the target's table bears its name. */
  unloaded: boolean;
}

/** The way back of a whole loader. */
export interface ReversePlan {
  sources: ReverseSource[];
  /** Tables of the target that the source has nothing for. */
  targetOnly: ReverseTable[];
  /** Source tables that nothing goes to: they stay empty. */
  untouched: string[];
}

/**
 * Turns a loader round: which target column goes to which source column, and how it is spelled there.
 * @throws TimeliftError as `readTargetTable` and `findSourceTable`; reverse-undeclared, reverse-id-referenced,
 * reverse-column-missing, reverse-refused
 */
export async function planReverse(
  client: pg.ClientBase,
  loader: LoaderDefinition,
  schema: SourceSchema,
  spellings: SourceRecord["spellings"],
): Promise<ReversePlan> {
  const loaded = new Map(loadedEntries(loader));
  const bySource = new Map<string, ReverseTable[]>();
  const targetOnly: ReverseTable[] = [];
  const unloaded = new Set<string>();
  for (const [name, definition] of Object.entries(loader.tables)) {
    const target = await readTargetTable(client, name);
    const own = loaded.has(name) ? sourceNameOf(name, definition) : name;
    const isThere = [...schema.values()].some(
      (table) => table.name.toLowerCase() === own.toLowerCase() && table.kind === "table",
    );
    if (!loaded.has(name) && !isThere) {
      targetOnly.push(kept(target, definition));
      continue;
    }
    const source = findSourceTable(schema, own);
    if (!loaded.has(name)) unloaded.add(source.name);
    // Rows of a view are those of the tables behind it.
    if (source.kind !== "table") continue;
    const table = await reverseTable(
      client,
      target,
      loaded.get(name) ?? {},
      source,
      spellings[name]?.columns ?? {},
    );
    bySource.set(source.name, [...(bySource.get(source.name) ?? []), table]);
  }
  const sources = [...bySource].flatMap(([name, tables]) => {
    const source = findSourceTable(schema, name);
    try {
      return [reverseSource(source, tables, schema, unloaded.has(name))];
    } catch (error) {
      if (!unloaded.has(name)) throw error;
      // The target's own table of that name has no place in the source's.
      targetOnly.push(...tables.map(({ target, definition }) => kept(target, definition)));
      return [];
    }
  });
  const untouched = [...schema.values()]
    .filter(({ name, kind }) => kind === "table" && !sources.some(({ source }) => source.name === name))
    .map(({ name }) => name);
  return { sources, targetOnly, untouched };
}

/** A table all of whose columns go to a sidecar. */
function kept(target: TargetTable, definition: TableDefinition): ReverseTable {
  const extras = target.columns.filter(({ generated }) => !generated).map((column) => extra(column));
  return { target, definition, columns: [], extras, key: [] };
}

async function reverseTable(
  client: pg.ClientBase,
  target: TargetTable,
  definition: TableDefinition,
  source: SourceTable,
  seen: Record<string, Record<string, Record<string, number>>>,
): Promise<ReverseTable> {
  const byName = new Map(target.columns.map((column) => [column.name, column]));
  const declared = new Map(source.columns.map((column) => [column.name, column]));
  // Of a table that is not loaded, columns go where their names are.
  const mapped = mapColumns(definition, source).filter((pair) => byName.has(pair.target));
  const given = definition.reverse ?? {};
  const columns: ReverseColumn[] = [];
  for (const pair of mapped) {
    const column = byName.get(pair.target) as TargetColumn;
    if (pair.source === null || given[pair.source] !== undefined || isGenerated(declared.get(pair.source)))
      continue;
    columns.push(
      spelled(
        column,
        pair.source,
        { ...pair, ...{ declaredType: declared.get(pair.source)?.declaredType ?? "" } },
        seen[column.name],
      ),
    );
  }
  columns.push(...(await givenColumns(client, target, given, { declared, mapped, source })));
  const taken = new Set(
    mapped
      .filter(({ source: from }) => from !== null && !isGenerated(declared.get(from)))
      .map((pair) => pair.target),
  );
  const naturals = new Map(mapped.map((pair) => [pair.target, pair]));
  const extras = target.columns
    .filter(({ name, generated }) => !generated && !taken.has(name))
    .map((column) => extra(column, naturals.get(column.name), seen[column.name]));
  return { target, definition, columns, extras, key: keyOf(source, columns) };
}

function isGenerated(column: SourceColumn | undefined): boolean {
  return column !== undefined && column.generated !== "no";
}

function spelled(
  { name, type }: TargetColumn,
  source: string | null,
  column: Omit<SpelledColumn, "type">,
  seen?: Record<string, Record<string, number>>,
): ReverseColumn {
  const { reading, emptyIsNull, declaredType } = column;
  const speller = new Speller({ type, reading, emptyIsNull, declaredType }, seen);
  return { source, target: name, dropped: false, sql: quoteIdentifier(name), type, speller, natural: null };
}

function extra(
  column: TargetColumn,
  natural?: MappedColumn,
  seen?: Record<string, Record<string, number>>,
): ReverseColumn {
  const { reading = null, emptyIsNull = false } = natural ?? {};
  const way = { reading, emptyIsNull, declaredType: "" };
  return { ...spelled(column, null, way, seen), natural: natural ?? null };
}

/** Columns that the loader says how to get back. */
async function givenColumns(
  client: pg.ClientBase,
  target: TargetTable,
  given: Record<string, string>,
  {
    declared,
    mapped,
    source,
  }: { declared: Map<string, SourceColumn>; mapped: MappedColumn[]; source: SourceTable },
): Promise<ReverseColumn[]> {
  const names = Object.keys(given);
  if (names.length === 0) return [];
  for (const name of names) {
    if (declared.has(name)) continue;
    throw new TimeliftError({
      code: "reverse-column-missing",
      subject: `source column ${source.name}.${name}`,
      problem: `the loader's entry ${target.name} says how to get it back, but the table has only: ${[...declared.keys()].join(", ")}.`,
      remedy: `Mend "reverse" in the loader; its keys are source columns.`,
    });
  }
  const list = names.map((name) => `(${given[name]})`).join(", ");
  let fields: pg.FieldDef[];
  try {
    ({ fields } = await client.query(`SELECT ${list} FROM ${quoteIdentifier(target.name)} LIMIT 0`));
  } catch (error) {
    throw new TimeliftError({
      code: "reverse-refused",
      subject: `the loader's entry ${target.name}, reverse`,
      problem: `PostgreSQL refuses ${list} over a row of ${target.name}: ${(error as Error).message}.`,
      remedy: "Mend the SQL; it is PostgreSQL's, one value of one target row.",
      cause: error,
    });
  }
  const types = await client.query<{ oid: number; base: string }>(
    "SELECT oid::int4 AS oid, typname AS base FROM pg_type WHERE oid = ANY ($1::oid[])",
    [fields.map(({ dataTypeID }) => dataTypeID)],
  );
  return names.map((name, i) => {
    const { dataTypeID, dataTypeModifier } = fields[i] as pg.FieldDef;
    const base = types.rows.find(({ oid }) => oid === dataTypeID)?.base ?? "";
    const type = toType(base, dataTypeModifier);
    const declaredType = declared.get(name)?.declaredType ?? "";
    const speller = new Speller({ type, reading: null, emptyIsNull: false, declaredType });
    const lands = mapped.find((pair) => pair.source === name)?.target;
    const dropped = lands === undefined;
    return {
      source: name,
      target: lands ?? name,
      dropped,
      sql: `(${given[name]})`,
      type,
      speller,
      natural: null,
    };
  });
}

/** The source's primary key, else its first unique one without NULLs, where the target holds all of it. */
function keyOf(source: SourceTable, columns: ReverseColumn[]): ReverseTable["key"] {
  const solid = source.unique.filter((names) =>
    names.every((name) => source.columns.some((column) => column.name === name && column.notNull)),
  );
  for (const names of [source.primaryKey, ...solid]) {
    const key = names.flatMap((name) => {
      const column = columns.find((each) => each.source === name);
      return column === undefined ? [] : [{ source: name, target: column.target }];
    });
    if (names.length > 0 && key.length === names.length) return key;
  }
  return [];
}

/** Divides the tables that come from one source table into those that give its rows and those merged into them. */
function reverseSource(
  source: SourceTable,
  tables: ReverseTable[],
  schema: SourceSchema,
  unloaded: boolean,
): ReverseSource {
  const alike = tables.find(({ target }) => target.name === source.name);
  const whole = tables.filter(({ definition }) => definition.where === undefined);
  const most = (among: ReverseTable[]) =>
    among.reduce((best, each) => (each.columns.length > best.columns.length ? each : best));
  const parted = alike === undefined && whole.length === 0 && tables.every(({ key }) => key.length > 0);
  const mains = parted ? tables : [alike ?? most(whole.length > 0 ? whole : tables)];
  const sides = tables.filter((table) => !mains.includes(table));
  const rowid = rowidAlias(source);
  const numbered =
    rowid !== null && mains.every(({ columns }) => columns.every((column) => column.source !== rowid))
      ? rowid
      : null;
  if (numbered !== null) requireUnreferenced(source, numbered, schema);
  for (const main of mains) requireFilled(source, main, sides, numbered);
  return { source, mains, sides, numbered, unloaded };
}

/** The INTEGER PRIMARY KEY of a table, which is its rowid. */
export function rowidAlias({ primaryKey, columns, rowid }: SourceTable): string | null {
  const [name] = primaryKey;
  const type = columns
    .find((column) => column.name === name)
    ?.declaredType.trim()
    .toUpperCase();
  return rowid !== null && primaryKey.length === 1 && type === "INTEGER" ? (name ?? null) : null;
}

function requireUnreferenced(source: SourceTable, id: string, schema: SourceSchema): void {
  for (const table of schema.values()) {
    for (const { table: parent, columns, references } of table.foreignKeys) {
      if (parent.toLowerCase() !== source.name.toLowerCase()) continue;
      if (references.length > 0 && !references.some((name) => name.toLowerCase() === id.toLowerCase()))
        continue;
      throw new TimeliftError({
        code: "reverse-id-referenced",
        subject: `source column ${source.name}.${id}`,
        problem: `the target dropped it, and ${table.name} (${columns.join(", ")}) refers to it: ids that are numbered anew would not agree.`,
        remedy: `Keep ${id} in the target, or say how to get it back in the loader: reverse: { ${id}: "…" }.`,
      });
    }
  }
}

/** Every column that SQLite wants a value for must have one. */
function requireFilled(
  source: SourceTable,
  main: ReverseTable,
  sides: ReverseTable[],
  numbered: string | null,
): void {
  const filled = new Set([main, ...sides].flatMap(({ columns }) => columns.map((column) => column.source)));
  for (const column of source.columns) {
    const { name, notNull, defaultSql, generated } = column;
    if (generated !== "no" || filled.has(name) || name === numbered || defaultSql !== null) continue;
    if (!notNull && !source.primaryKey.includes(name)) continue;
    throw new TimeliftError({
      code: "reverse-undeclared",
      subject: `source column ${source.name}.${name}`,
      problem: "it is NOT NULL without a default, and the target does not keep it.",
      remedy: `Say in the loader's entry ${main.target.name} how to get it back, as SQL of PostgreSQL over the target row: reverse: { ${name}: "…" }.`,
    });
  }
}
