import {
  type LoaderDefinition,
  none,
  type Reading,
  sourceNameOf,
  type TableDefinition,
} from "./define-loader.ts";
import { quoteIdentifier } from "./identifier.ts";
import { didYouMean } from "./nearest-name.ts";
import { mapColumns } from "./resolve-table.ts";
import { findSourceTable, type SourceSchema, type SourceTable } from "./source/source-schema.ts";
import { TimeliftError } from "./timelift-error.ts";

/** Which part of a loader's rows a run is about. */
export interface Narrowing {
  /**
   * Target tables.
   * @default all tables of the loader
   */
  tables?: string[];
  /**
   * Column, by its name in source or target -> the values that its rows may have. It holds for every chosen table that
   * has the column; a table without it stays whole.
   */
  keys?: Record<string, string[]>;
  /** `YYYY-MM-DD`; rows of hypertables before that day (UTC) are left out. Plain tables stay whole. */
  startDate?: string;
}

/** What has to be known to turn names into conditions. */
export interface NarrowingFacts {
  schema: SourceSchema;
  /** The hypertables of the target, with their time columns. */
  hypertables: { table: string; time: string }[];
}

/** Whether a narrowing leaves anything out. */
export function isNarrowed({ tables, keys, startDate }: Narrowing): boolean {
  return tables !== undefined || startDate !== undefined || Object.keys(keys ?? {}).length > 0;
}

/**
 * The loader for some of the rows: fewer tables, and conditions beside those that it has. A condition is part of what
 * a part's digest covers, so a later load of everything sees another definition and brings in the rest.
 * The workload's queries are left out: over some of the rows they give another answer than the source.
 *
 * @throws TimeliftError narrow-table, narrow-column, narrow-date; source-table-missing, source-column-missing
 */
export function narrowLoader(
  loader: LoaderDefinition,
  narrowing: Narrowing,
  facts: NarrowingFacts,
): LoaderDefinition {
  if (!isNarrowed(narrowing)) return loader;
  const chosen = chooseTables(loader, narrowing.tables);
  const tables = chosen.flatMap(([target, definition]): NarrowedTable[] => {
    if (definition.from === none) return [];
    const source = findSourceTable(facts.schema, sourceNameOf(target, definition));
    return [{ target, definition, source, conditions: [] }];
  });
  for (const [column, values] of Object.entries(narrowing.keys ?? {})) addKey(tables, column, values);
  if (narrowing.startDate !== undefined) addStart(tables, narrowing.startDate, facts.hypertables);
  const narrowed = tables.map(({ target, definition, conditions }) => {
    return [target, withConditions(definition, conditions)] as const;
  });
  const left = Object.entries(loader.tables).filter(([name]) => !chosen.some(([each]) => each === name));
  return {
    tables: { ...Object.fromEntries(chosen), ...Object.fromEntries(narrowed) },
    bystanders: Object.fromEntries(left),
  };
}

interface NarrowedTable {
  target: string;
  definition: TableDefinition;
  source: SourceTable;
  /** SQL over the source row. */
  conditions: string[];
}

function chooseTables(loader: LoaderDefinition, chosen: string[] | undefined): [string, TableDefinition][] {
  const known = Object.keys(loader.tables);
  for (const name of chosen ?? []) {
    if (known.includes(name)) continue;
    throw new TimeliftError({
      code: "narrow-table",
      subject: `table ${name}`,
      problem: `the loader writes no such table. It writes: ${known.join(", ")}.${didYouMean(name, known)}`,
      remedy: "Name target tables.",
    });
  }
  return Object.entries(loader.tables).filter(([name]) => chosen === undefined || chosen.includes(name));
}

function withConditions(definition: TableDefinition, conditions: string[]): TableDefinition {
  if (conditions.length === 0) return definition;
  const all = definition.where === undefined ? conditions : [`(${definition.where})`, ...conditions];
  return { ...definition, where: all.join(" AND ") };
}

function addKey(tables: NarrowedTable[], column: string, values: string[]): void {
  let found = false;
  for (const table of tables) {
    const value = sqlOf(table, column);
    if (value === undefined) continue;
    found = true;
    const list = [...new Set(values)].flatMap(literals).join(", ");
    table.conditions.push(`${value} IN (${list})`);
  }
  if (found) return;
  const known = [...new Set(tables.flatMap(namesOf))];
  throw new TimeliftError({
    code: "narrow-column",
    subject: `column ${column}`,
    problem: `none of the chosen tables (${tables.map(({ target }) => target).join(", ")}) has it, in source or target.${didYouMean(column, known)}`,
    remedy: "Name a column of the source or of the target.",
  });
}

function addStart(tables: NarrowedTable[], day: string, hypertables: NarrowingFacts["hypertables"]): void {
  requireDay(day);
  let found = false;
  for (const table of tables) {
    const time = hypertables.find((each) => each.table === table.target)?.time;
    const pair = mapColumns(table.definition, table.source).find((each) => each.target === time);
    if (pair === undefined) continue;
    found = true;
    table.conditions.push(notBefore(pair.expression, day, pair.reading));
  }
  if (found) return;
  throw new TimeliftError({
    code: "narrow-date",
    subject: `start date ${day}`,
    problem: `none of the chosen tables (${tables.map(({ target }) => target).join(", ")}) is a hypertable, so none has a time to start at.`,
    remedy: "Leave the start date out, or choose a hypertable too.",
  });
}

function requireDay(day: string): void {
  const moment = new Date(`${day}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(moment.getTime());
  if (isDay && moment.toISOString().startsWith(day)) return;
  throw new TimeliftError({
    code: "narrow-date",
    subject: `start date ${day}`,
    problem: "it is no day of the calendar.",
    remedy: "Write it as YYYY-MM-DD, e.g. 2020-01-01.",
  });
}

/** ISO texts compare as text; numbers, and texts that are numbers, in the unit in which the column is read. */
function notBefore(column: string, day: string, reading: Reading | null): string {
  const asText = `${column} >= ${textLiteral(day)}`;
  if (reading === null) return asText;
  const isIso = `typeof(${column}) = 'text' AND ${column} LIKE '____-__-__%'`;
  return `CASE WHEN ${isIso} THEN ${asText} ELSE CAST(${column} AS NUMERIC) >= ${inUnit(day, reading)} END`;
}

function inUnit(day: string, reading: Reading): number {
  const ms = Date.parse(`${day}T00:00:00Z`);
  if (reading.kind === "julianDay") return ms / 86_400_000 + 2440587.5;
  return reading.unit === "s" ? ms / 1000 : reading.unit === "ms" ? ms : ms * 1000;
}

/** The column as SQL over the source row. */
function sqlOf({ definition, source }: NarrowedTable, column: string): string | undefined {
  if (source.columns.some(({ name }) => name === column)) return quoteIdentifier(column);
  return mapColumns(definition, source).find(({ target }) => target === column)?.expression;
}

function namesOf({ definition, source }: NarrowedTable): string[] {
  return [
    ...source.columns.map(({ name }) => name),
    ...mapColumns(definition, source).map(({ target }) => target),
  ];
}

/** A value as SQL: as text, and as the number that it is the usual writing of, for columns without a type. */
function literals(value: string): string[] {
  const isInteger = /^-?\d+$/.test(value) && String(BigInt(value)) === value;
  const isReal = String(Number(value)) === value && Number.isFinite(Number(value));
  return isInteger || isReal ? [textLiteral(value), value] : [textLiteral(value)];
}

function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
