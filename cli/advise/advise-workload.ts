import { basename } from "node:path";
import { loadedEntries, sourceNameOf } from "../../loaders/define-loader.ts";
import { openSource, type Source } from "../../loaders/source/open-source.ts";
import { readSourceSchema, type SourceSchema, type SourceTable } from "../../loaders/source/source-schema.ts";
import { type QueryConditions, queryConditions } from "../../loaders/survey/query-conditions.ts";
import { type SqliteAnswer, trySqlite } from "../../loaders/survey/query-trial.ts";
import { declaredHypertables } from "../../migrations/declared.ts";
import { declaredTables, emptyTable } from "../../migrations/declared-tables.ts";
import type { Edition } from "../../migrations/edition.ts";
import type { Workload } from "../../stacks/workload.ts";
import type { WorkloadAdvice } from "./advice.ts";
import { adviseHypertable } from "./hypertable-advice.ts";
import { adviseQuery } from "./query-advice.ts";
import { type DeclaredFacts, readTableFacts, type TableFacts } from "./table-facts.ts";

/** What an advice rests on besides the source's rows. */
export interface AdviseArgs {
  workload: Workload;
  /** Path of a SQLite file that nobody writes to while it is read. */
  path: string;
  /** How the source is called in what is said of it. */
  source: string;
  edition: Edition;
  /** MiB that TimescaleDB is tuned for. */
  memoryMb: number;
  /**
   * Rows of a table that are read one by one.
   * @default 5000000
   */
  most?: number;
}

/** An advice with what it was made from. */
export interface AdvisedWorkload {
  advice: WorkloadAdvice;
  /** In the order of the hypertables. */
  facts: TableFacts[];
  /** The source tables that the loader reads or a query names. */
  sources: SourceTable[];
}

/** Advises on every hypertable that a workload's migrations declare, from the source's own rows. */
export async function adviseWorkload(args: AdviseArgs): Promise<AdvisedWorkload> {
  const { workload, edition, memoryMb } = args;
  const { loader } = workload;
  const declared = await declarations(workload);
  const conditions = new Map(
    Object.entries(loader.queries ?? {}).map(([name, { timescale }]) => [name, queryConditions(timescale)]),
  );
  const source = openSource(args.path);
  try {
    const schema = readSourceSchema(source);
    const facts = declared.map((each) => readTableFacts(source, schema, loader, each, conditions, args.most));
    const answers = answersOf(source, workload);
    const used = usedIndexes(answers);
    return {
      ...{ facts, sources: tablesRead(schema, workload) },
      advice: {
        workload: workload.name,
        source: basename(args.source),
        edition,
        memoryMb,
        hypertables: facts.map((each) => adviseHypertable(each, { edition, memoryMb, used })),
        queries: [...answers].map(([name, answer]) =>
          adviseQuery(name, tablesOf(conditions.get(name), declared), answer),
        ),
      },
    };
  } finally {
    source.close();
  }
}

async function declarations({ migrationsDir, context }: Workload): Promise<DeclaredFacts[]> {
  const hypertables = await declaredHypertables(migrationsDir, context);
  const tables = await declaredTables(migrationsDir, context);
  return hypertables.map((hypertable) => ({
    hypertable,
    declared: tables.get(hypertable.table) ?? emptyTable(),
  }));
}

function answersOf(source: Source, { loader }: Workload): Map<string, SqliteAnswer | { error: string }> {
  const queries = Object.entries(loader.queries ?? {});
  return new Map(queries.map(([name, { sqlite }]) => [name, trySqlite(source, sqlite)]));
}

function tablesRead(schema: SourceSchema, { loader }: Workload): SourceTable[] {
  const loaded = loadedEntries(loader).flatMap(([target, definition]) => [
    sourceNameOf(target, definition),
    ...Object.values(definition.derive ?? {}).flatMap((each) => (each.kind === "lookup" ? each.from : [])),
  ]);
  const asked = Object.values(loader.queries ?? {}).flatMap(({ sqlite }) => queryConditions(sqlite).tables);
  const names = new Set([...loaded, ...asked].map((name) => name.toLowerCase()));
  return [...schema.values()].filter(({ kind, name }) => kind === "table" && names.has(name.toLowerCase()));
}

function usedIndexes(answers: Map<string, SqliteAnswer | { error: string }>): Set<string> {
  return new Set(
    [...answers.values()].flatMap((answer) =>
      "error" in answer
        ? []
        : [
            ...answer.indexes.map((index) => index.replace(/ \(.*/, "")),
            ...answer.ordered.map(({ index }) => index),
          ],
    ),
  );
}

function tablesOf(conditions: QueryConditions | undefined, declared: DeclaredFacts[]): string[] {
  const named = conditions?.tables ?? [];
  return declared.map(({ hypertable }) => hypertable.table).filter((table) => named.includes(table));
}
