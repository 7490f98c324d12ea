import { join } from "node:path";
import Database from "better-sqlite3";
import { connect } from "../../../loaders/connection.ts";
import { emptyTable } from "../../../migrations/declared-tables.ts";
import type { HypertableSettings } from "../../../migrations/hypertable-settings.ts";
import type { Workload } from "../../../stacks/workload.ts";
import type { HypertableAdvice, WorkloadAdvice } from "../advice.ts";
import type { AdvisedWorkload } from "../advise-workload.ts";
import { momentsOf } from "../moment.ts";
import type { TableFacts } from "../table-facts.ts";
import { settingsOf } from "../taking.ts";
import { type MeasuredLoad, measureLoad } from "./measured-load.ts";
import type { MeasuredQuery, Measurement } from "./measurement.ts";
import { raceQuery } from "./query-race.ts";
import { type SampledTable, settle, writeSample } from "./sample-source.ts";
import type { ScratchDatabase, ScratchServer } from "./scratch-server.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** What a measurement needs. */
export interface MeasureArgs {
  workload: Workload;
  advised: AdvisedWorkload;
  /** Path of the SQLite file that was advised on. */
  path: string;
  /** Whether that is a copy of the measurement's own. */
  isCopy: boolean;
  /** Rows of each hypertable. */
  sampleRows: number;
  server: ScratchServer;
  /** For what is thrown away at the end. */
  folder: string;
  signal: AbortSignal;
  log: (line: string) => void;
}

/** Loads a sample under the declared choices and under the advised ones, and compares size and query times. */
export async function measureChoices(args: MeasureArgs): Promise<Measurement> {
  const { server, workload, advised, signal, log } = args;
  const { hypertables } = advised.advice;
  const stretches = advised.facts.map((facts) => stretchOf(facts, args.sampleRows));
  const source = sampleOf(args, stretches);
  const tables = hypertables.map(({ table }) => table);
  const differs = hypertables.filter(({ config }) => config.length > 0);
  const settings = Object.fromEntries(
    hypertables.flatMap((each, at) =>
      differs.includes(each) ? [[each.table, advisedSettings(each, advised.facts[at], advised.advice)]] : [],
    ),
  );
  const load = async (name: string, settings: Record<string, HypertableSettings>): Promise<Variant> => {
    const database = await server.fresh(`advise_${name}`);
    const { folder } = args;
    const load = await measureLoad({ workload, source, server, database, settings, tables, folder, signal });
    return { database, load };
  };
  if (differs.length > 0) {
    // A server's first load makes the files that later ones find ready.
    log("loading once, so that no choice pays for being the first");
    await load("first", {});
  }
  log("loading under the declared choices");
  const first = await load("declared", {});
  if (differs.length > 0) log("loading under the advised choices");
  const second = differs.length > 0 ? await load("advised", settings).catch(failureOf(signal)) : null;
  log("asking the workload's queries");
  const ready = second !== null && "load" in second ? [first, second] : [first];
  const queries = await race(
    args,
    source,
    ready.map(({ database }) => database),
  );
  return {
    server: server.title,
    columnstore: server.edition === "community",
    declared: timesOf(first.load),
    advised: second && "load" in second ? timesOf(second.load) : null,
    queries,
    tables: hypertables.flatMap((each, at) => {
      const size = first.load.sizes.get(each.table);
      if (each.figures === null || size === undefined) return [];
      const changed = differs.includes(each) ? second : null;
      const stretch = stretches[at] ?? null;
      const { table } = each;
      return {
        ...{ table, rows: size.rows, of: each.figures.rows, declared: size },
        stretch: stretch && (stretch.map(isoText) as [string, string]),
        advised: (changed && "load" in changed && changed.load.sizes.get(table)) || null,
        verdict:
          changed &&
          ("load" in changed ? judge(table, first.load, changed.load, queries) : withdrawn(changed)),
      };
    }),
  };
}

/** A database under one of the choices. */
interface Variant {
  database: ScratchDatabase;
  load: MeasuredLoad;
}

/** Advised choices under which a load fails say so, and no more; what stops the measurement does. */
function failureOf(signal: AbortSignal): (error: Error) => { failed: string } {
  return (error) => {
    signal.throwIfAborted();
    return { failed: error.message.split("\n")[0] ?? "" };
  };
}

function withdrawn({ failed }: { failed: string }): Verdict {
  return { status: "withdrawn", reason: `under the advised choices the load fails: ${failed}` };
}

function timesOf({ loadMs, columnstoreMs }: MeasuredLoad): Pick<MeasuredLoad, "loadMs" | "columnstoreMs"> {
  return { loadMs, columnstoreMs };
}

function isoText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** The stretch of time that a sample of a table holds; null for all of it. */
function stretchOf({ source, queries, hypertable }: TableFacts, rows: number): [number, number] | null {
  if (source === null || source.survey.rows <= rows) return null;
  const named = [...queries.values()].flatMap(({ ranges }) => ranges[hypertable.time] ?? []);
  return source.survey.times.stretch(rows, momentsOf(named));
}

/** The file to load: the source itself where all of it is wanted. */
function sampleOf(args: MeasureArgs, stretches: ([number, number] | null)[]): string {
  const { advised, path } = args;
  if (stretches.every((stretch) => stretch === null)) {
    if (args.isCopy) settle(path);
    return path;
  }
  args.log("writing a sample of the source");
  const tables = new Map<string, SampledTable>();
  for (const table of advised.sources) tables.set(table.name, { table, where: null });
  for (const [at, { source }] of advised.facts.entries()) {
    const stretch = stretches[at] ?? null;
    if (source === null || stretch === null) continue;
    const { moment } = source;
    tables.set(source.table.name, {
      table: source.table,
      where: `(${moment}) >= ${stretch[0]} AND (${moment}) < ${stretch[1]}`,
    });
  }
  const sample = join(args.folder, "sample.db");
  writeSample(path, sample, [...tables.values()]);
  return sample;
}

/** What a stack's config would hold once the advice is taken. */
function advisedSettings(
  advice: HypertableAdvice,
  facts: TableFacts | undefined,
  { edition }: WorkloadAdvice,
): HypertableSettings {
  const columnstore = edition === "community" ? advice.columnstore : null;
  return settingsOf({ chunk: advice.chunk, columnstore }, facts?.declared ?? emptyTable());
}

async function race(
  { workload, advised, signal }: MeasureArgs,
  source: string,
  databases: ScratchDatabase[],
): Promise<MeasuredQuery[]> {
  const answered = advised.advice.queries.filter(({ sqliteMs }) => sqliteMs !== null);
  const sample = new Database(source, { readonly: true });
  const clients = await Promise.all(databases.map(({ reader }) => connect(reader, "advise: queries")));
  const measured: MeasuredQuery[] = [];
  try {
    for (const { name, tables } of answered) {
      signal.throwIfAborted();
      const query = workload.loader.queries?.[name];
      if (query === undefined) continue;
      const { timescaleMs, ...raced } = await raceQuery(name, query, sample, clients);
      const [declaredMs = null, advisedMs = null] = timescaleMs;
      measured.push({ ...raced, tables, declaredMs, advisedMs });
    }
    return measured;
  } finally {
    for (const client of clients) await client.end();
    sample.close();
  }
}

function judge(
  table: string,
  declared: MeasuredLoad,
  advised: MeasuredLoad,
  queries: MeasuredQuery[],
): Verdict | null {
  const before = declared.sizes.get(table);
  const after = advised.sizes.get(table);
  if (before === undefined || after === undefined) return null;
  const own = queries.filter(({ tables, rows }) => tables.includes(table) && rows > 0);
  const broken = own.find(({ declaredMs, advisedMs }) => declaredMs !== null && advisedMs === null);
  if (broken) return { status: "withdrawn", reason: `"${broken.name}" fails: ${broken.note}` };
  return verdictOf({
    bytes: { declared: before.bytes, advised: after.bytes },
    loadMs: {
      declared: declared.loadMs + declared.columnstoreMs,
      advised: advised.loadMs + advised.columnstoreMs,
    },
    queriesMs: own.flatMap(({ declaredMs, advisedMs }) =>
      declaredMs === null || advisedMs === null ? [] : { declared: declaredMs, advised: advisedMs },
    ),
  });
}
