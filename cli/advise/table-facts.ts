import { type LoaderDefinition, none, sourceNameOf } from "../../loaders/define-loader.ts";
import { quoteIdentifier } from "../../loaders/identifier.ts";
import { readIndexes } from "../../loaders/inspect/source-index.ts";
import { type MappedColumn, mapColumns } from "../../loaders/resolve-table.ts";
import type { Source } from "../../loaders/source/open-source.ts";
import { findSourceTable, type SourceSchema, type SourceTable } from "../../loaders/source/source-schema.ts";
import { momentSql } from "../../loaders/survey/moment-sql.ts";
import type { QueryConditions } from "../../loaders/survey/query-conditions.ts";
import { RowWidth } from "../../loaders/survey/row-width.ts";
import { surveyTable, type TableSurvey } from "../../loaders/survey/survey-table.ts";
import type { DeclaredTable } from "../../migrations/declared-tables.ts";
import type { DeclaredHypertable } from "../../migrations/timescale.ts";

/** A hypertable of a workload, with what its migrations say of it. */
export interface DeclaredFacts {
  hypertable: DeclaredHypertable;
  declared: DeclaredTable;
}

/** What the source says of one hypertable. */
export interface TableFacts extends DeclaredFacts {
  /** Null where no source table fills it, or nothing becomes its time; `moment` is SQL for that, in seconds since 1970. */
  source: { table: SourceTable; moment: string; survey: TableSurvey; width: RowWidth } | null;
  /** The sets of target columns that may make segments, in the order of the survey's. */
  segments: string[][];
  /** Columns that queries compare by =, and of which every row has the same value. */
  constant: Set<string>;
  /** Queries that name the table, with the conditions on its own columns. */
  queries: Map<string, QueryConditions>;
  /** The source's indexes and unique keys, their columns as the target names them. */
  indexes: { name: string; columns: (string | null)[] }[];
}

const mostSegmentColumns = 3;

/** Surveys the source table of a hypertable. */
export function readTableFacts(
  source: Source,
  schema: SourceSchema,
  loader: LoaderDefinition,
  facts: DeclaredFacts,
  conditions: Map<string, QueryConditions>,
  most?: number,
): TableFacts {
  const { hypertable, declared } = facts;
  const queries = ownQueries(hypertable, declared, conditions);
  const nothing = { ...facts, source: null, segments: [], constant: new Set<string>(), queries, indexes: [] };
  const definition = loader.tables[hypertable.table];
  if (definition === undefined || definition.from === none) return nothing;
  const table = findSourceTable(schema, sourceNameOf(hypertable.table, definition));
  const columns = mapColumns(definition, table);
  const time = columns.find(({ target }) => target === hypertable.time);
  if (time === undefined) return nothing;
  const segments = segmentSets(facts, queries, columns);
  const survey = surveyTable(source, {
    table,
    time: { value: time.expression, reading: time.reading },
    segments: segments.map((set) => set.map((name) => expressionOf(columns, name))),
    where: definition.where ?? null,
    ...(most === undefined ? {} : { most }),
  });
  const filled = Object.entries(declared.columns).map(([name, type]) => ({
    ...{ name, type },
    value: columns.find(({ target }) => target === name)?.expression ?? null,
  }));
  return {
    ...facts,
    source: {
      ...{ table, survey, width: RowWidth.measure(source, table, filled) },
      moment: momentSql(time.expression, time.reading),
    },
    ...{ segments, queries, constant: constantColumns(source, table, columns, queries) },
    indexes: sourceIndexes(source, table, columns),
  };
}

function expressionOf(columns: MappedColumn[], target: string): string {
  return columns.find((column) => column.target === target)?.expression ?? "NULL";
}

/** Queries that name a table; of their conditions those on columns that it has. */
function ownQueries(
  { table }: DeclaredHypertable,
  { columns }: DeclaredTable,
  conditions: Map<string, QueryConditions>,
): Map<string, QueryConditions> {
  const own = (name: string) => {
    const [of, column = of] = name.includes(".") ? name.split(".") : [table, name];
    return of === table && column !== undefined && column in columns ? [column] : [];
  };
  const found = [...conditions].filter(([, { tables }]) => tables.includes(table));
  return new Map(
    found.map(([name, query]) => [
      name,
      {
        ...query,
        equal: [...new Set(query.equal.flatMap(own))],
        ranges: Object.fromEntries(
          Object.entries(query.ranges).flatMap(([column, texts]) => own(column).map((each) => [each, texts])),
        ),
      },
    ]),
  );
}

/**
 * What may make segments: columns that queries compare by = and that come from the source, else those of the primary
 * key; each alone, all together, and the declared ones.
 */
function segmentSets(
  { hypertable, declared }: DeclaredFacts,
  queries: Map<string, QueryConditions>,
  columns: MappedColumn[],
): string[][] {
  const known = (name: string) => name !== hypertable.time && columns.some(({ target }) => target === name);
  const keys = new Set([declared.primaryKey, ...declared.unique].flat());
  const named = [...new Set([...queries.values()].flatMap(({ equal }) => equal))].filter(known);
  const inKeys = named.filter((name) => keys.has(name));
  const chosen = inKeys.length > 0 ? inKeys : named.length > 0 ? named : declared.primaryKey.filter(known);
  const singles = chosen.slice(0, mostSegmentColumns);
  const sets = [...singles.map((name) => [name]), ...(singles.length > 1 ? [singles] : [])];
  const own = declared.columnstore?.segmentBy ?? [];
  if (own.length > 0 && own.every(known)) sets.push(own);
  return sets.filter((set, at) => sets.findIndex((other) => isSame(other, set)) === at);
}

function isSame(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

function constantColumns(
  source: Source,
  table: SourceTable,
  columns: MappedColumn[],
  queries: Map<string, QueryConditions>,
): Set<string> {
  const named = new Set([...queries.values()].flatMap(({ equal }) => equal));
  const from = quoteIdentifier(table.name);
  const constant = columns.filter(({ source: name, expression, target }) => {
    if (name === null || !named.has(target)) return false;
    const sql = `SELECT 1 FROM ${from} WHERE ${expression} IS NOT (SELECT ${expression} FROM ${from} LIMIT 1) LIMIT 1`;
    return source.prepare(sql).get() === undefined;
  });
  return new Set(constant.map(({ target }) => target));
}

function sourceIndexes(source: Source, table: SourceTable, columns: MappedColumn[]): TableFacts["indexes"] {
  if (table.kind !== "table") return [];
  const target = (name: string) => {
    const [column = name, direction] = name.split(" ");
    const found = columns.find((each) => each.source === column)?.target;
    return found === undefined ? null : found + (direction ? ` ${direction}` : "");
  };
  const indexes = readIndexes(source, table.name).filter(({ special }) => !special);
  return indexes.map(({ name, columns: names }) => ({ name, columns: names.map(target) }));
}
