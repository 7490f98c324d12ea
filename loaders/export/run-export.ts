import type pg from "pg";
import type { Connection } from "../connection.ts";
import { type LoaderDefinition, loadedEntries, targetOnlyTables } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import { didYouMean } from "../nearest-name.ts";
import { planReverse, type ReversePlan } from "../reverse/reverse-plan.ts";
import { sidecarName } from "../reverse/sidecar-names.ts";
import type { SourceRecord } from "../reverse/source-record.ts";
import { readSourceSchema } from "../source/source-schema.ts";
import { TimeliftError } from "../timelift-error.ts";
import { withTarget } from "../validate/target-session.ts";
import type { ValidationReport } from "../validation-report.ts";
import { ExportFile, fileError } from "./export-file.ts";
import { type FillContext, type FilledMain, fillMain, fillSidecar } from "./fill-source.ts";
import { findRecord } from "./find-record.ts";
import { fillSide, type MergedSide } from "./merge-side.ts";
import { type Kept, settleMain, settleSide } from "./settle-sidecars.ts";
import { createSidecar } from "./sidecar.ts";
import { type SpellingNote, spellingNotes } from "./spelling-notes.ts";
import { validateExport } from "./validate-export.ts";

/** What happens while a file is written. */
export type ExportEvent =
  | { kind: "rows"; table: string; rows: number }
  | { kind: "written"; table: string; rows: number; ms: number }
  | { kind: "step"; what: string };

/** What is exported, and where to. */
export interface RunExportArgs {
  /** Name under which the load keeps its ledger and its record of the source. */
  workload: string;
  loader: LoaderDefinition;
  /** The file to write; it has that name once it is complete and agrees with the target. */
  file: string;
  /** The database itself (no pooler), as a role that may read. */
  target: Connection;
  /**
   * A SQLite file whose schema and spelling to take.
   * @default those of the source that was loaded last, as the target keeps them
   */
  schemaFrom?: string;
  /**
   * Target tables whose rows are written; the others stay empty.
   * @default all
   */
  tables?: string[];
  /**
   * Replaces a file of that name.
   * @default false
   */
  force?: boolean;
  events?: (event: ExportEvent) => void;
  /** Stops the work; nothing is left of the file. */
  signal?: AbortSignal;
}

/** What an export wrote. */
export interface ExportReport {
  /** Target table -> rows that were read. */
  tables: Record<string, number>;
  rows: number;
  /** What the application's schema has no place for, and where the file keeps it. */
  kept: Kept[];
  /** Columns of which the source had values that are spelled differently now. */
  spellings: SpellingNote[];
  /** What else there is to know. */
  notes: string[];
  /** The file compared with the target, every row; its status tells whether the file got its name. */
  validation: ValidationReport;
  /** Time of writing, without validation. */
  ms: number;
}

/**
 * Writes a SQLite file in the application's own schema, with the rows that the target has in one moment, and compares it
 * with that moment. A file that differs does not get its name.
 * @throws TimeliftError source-schema-unknown, export-*, reverse-*; as `readTargetTable`, `connect`
 */
export async function runExport(args: RunExportArgs): Promise<ExportReport> {
  const { target, signal } = args;
  const loader = chosen(args);
  return withTarget(target, "export", signal, async (client) => {
    await client.query(
      // Rows that a policy hides must not be left out in silence.
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET row_security = off",
    );
    await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const record = await findRecord(client, args.workload, loader, args.schemaFrom);
    const file = new ExportFile(args.file, record.schema, { force: args.force ?? false });
    try {
      return await write({ ...args, loader }, client, record, file);
    } catch (error) {
      file.discard();
      signal?.throwIfAborted();
      throw fileError(file.draft, error);
    }
  });
}

function chosen({ loader, tables }: RunExportArgs): LoaderDefinition {
  if (tables === undefined) return loader;
  const names = Object.keys(loader.tables);
  for (const name of tables) {
    if (names.includes(name)) continue;
    throw new TimeliftError({
      code: "export-table-unknown",
      subject: name,
      problem: `the loader has no such target table.${didYouMean(name, names)}`,
      remedy: `Name some of: ${names.join(", ")}.`,
    });
  }
  return {
    ...loader,
    tables: Object.fromEntries(Object.entries(loader.tables).filter(([name]) => tables.includes(name))),
  };
}

async function write(
  args: RunExportArgs,
  client: pg.ClientBase,
  record: SourceRecord,
  file: ExportFile,
): Promise<ExportReport> {
  const start = performance.now();
  const { events, signal } = args;
  const notes = file.begin();
  const plan = await planReverse(client, args.loader, readSourceSchema(file.database), record.spellings);
  const tables: Record<string, number> = {};
  const context: FillContext = {
    ...{ client, file, signal },
    onRows: (table, rows) => events?.({ kind: "rows", table, rows }),
  };
  const timed = async <Result extends { rows: number }>(table: string, work: Promise<Result>) => {
    const from = performance.now();
    const result = await work;
    tables[table] = result.rows;
    events?.({ kind: "written", table, rows: result.rows, ms: performance.now() - from });
    return result;
  };
  const mains: FilledMain[] = [];
  const sides: { source: ReversePlan["sources"][number]; side: MergedSide }[] = [];
  for (const source of plan.sources) {
    const merged: MergedSide[] = [];
    for (const table of source.sides)
      merged.push(await timed(table.target.name, fillSide(context, source, table)));
    for (const table of source.mains) {
      mains.push(await timed(table.target.name, fillMain(context, source, table, merged)));
    }
    sides.push(...merged.map((side) => ({ source, side })));
  }
  const kept = await keepTargetOnly(context, plan, timed);
  events?.({ kind: "step", what: "indexes" });
  notes.push(...file.finishSchema());
  for (const main of mains) kept.push(...settleMain(file.database, main));
  for (const { source, side } of sides) kept.push(...settleSide(file.database, source, side));
  notes.push(...notesOf(plan, args, mains));
  file.close();
  const ms = Math.round(performance.now() - start);
  events?.({ kind: "step", what: "comparing every row with the target" });
  const validation = await validateExport({
    ...args,
    file: file.draft,
    client,
  });
  if (validation.status === "PASS") file.publish();
  const rows = Object.values(tables).reduce((sum, each) => sum + each, 0);
  return { tables, rows, kept, spellings: spellingNotes(record.spellings, plan), notes, validation, ms };
}

/** Writes tables that the source has nothing for. */
async function keepTargetOnly(
  context: FillContext,
  plan: ReversePlan,
  timed: <Result extends { rows: number }>(table: string, work: Promise<Result>) => Promise<Result>,
): Promise<Kept[]> {
  const { database } = context.file;
  const kept: Kept[] = [];
  for (const table of plan.targetOnly) {
    const { name } = table.target;
    const sidecar = sidecarName(name);
    const columns = table.extras.map((column) => column.target);
    const add = createSidecar(database, sidecar, columns);
    const written = fillSidecar(context, table, add).then((rows) => ({ rows }));
    const { rows } = await timed(name, written);
    context.file.settle();
    if (rows > 0) kept.push({ table: name, sidecar, rows, why: "a table that the source does not have" });
    else database.exec(`DROP TABLE ${quoteIdentifier(sidecar)}`);
  }
  return kept;
}

function notesOf(
  { sources, untouched }: ReversePlan,
  { loader }: RunExportArgs,
  mains: FilledMain[],
): string[] {
  const numbered = sources.flatMap(({ source, numbered }) =>
    numbered === null ? [] : [`${source.name}.${numbered}`],
  );
  const stretched = mains.flatMap(({ table }) =>
    table.columns.flatMap(({ speller, target }) =>
      speller.stretched > 0
        ? [
            `${table.target.name}.${target}: ${speller.stretched} values that the column's usual spelling cannot hold are spelled in more detail`,
          ]
        : [],
    ),
  );
  const loaded = new Set(loadedEntries(loader).map(([name]) => name));
  const unloaded = targetOnlyTables(loader).filter(
    (name) => !loaded.has(name) && sources.some(({ source, unloaded }) => unloaded && source.name === name),
  );
  return [
    ...(numbered.length > 0 ? [`numbered anew, in the order of their keys: ${numbered.join(", ")}`] : []),
    ...(untouched.length > 0 ? [`empty, for nothing is loaded from there: ${untouched.join(", ")}`] : []),
    ...(unloaded.length > 0
      ? [`only what the target has, for the load left the source's rows out: ${unloaded.join(", ")}`]
      : []),
    ...stretched,
  ];
}
