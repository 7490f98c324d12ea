import type { Socket } from "node:net";
import type pg from "pg";
import { takeAdvisoryLock } from "./advisory-lock.ts";
import { applyChanges, type Write } from "./apply-changes.ts";
import { type Connection, connect } from "./connection.ts";
import { copyTable, type LoadContext } from "./copy-table.ts";
import type { LoaderDefinition } from "./define-loader.ts";
import { quoteIdentifier } from "./identifier.ts";
import { advanceSequences } from "./identity-sequence.ts";
import { Ledger, type LedgerTable } from "./ledger.ts";
import type { LoadEvent } from "./load-event.ts";
import { loading } from "./load-lock.ts";
import type { LoadResult, TableLoad } from "./load-result.ts";
import { didYouMean } from "./nearest-name.ts";
import { RejectCheck } from "./reject-check.ts";
import { type MaxRejects, RejectBudget } from "./reject-limit.ts";
import { applyRetry, planRetry } from "./reject-retry.ts";
import { resolveTable } from "./resolve-table.ts";
import { planSource } from "./source/scan-source.ts";
import { openSnapshot, type Snapshot } from "./source/snapshot.ts";
import { SourceReader } from "./source/source-reader.ts";
import { findSourceTable } from "./source/source-schema.ts";
import { orderTables } from "./table-order.ts";
import { type Action, decide, type TableTask } from "./table-task.ts";
import { connectionLost, targetError } from "./target-error.ts";
import { readTargetTable } from "./target-table.ts";
import { TimeliftError } from "./timelift-error.ts";

/**
 * Tables that received more rows are left to autovacuum: to sample 240 chunks with 2.5 million rows takes as long as to
 * load them.
 */
const analyzedRows = 100_000;

/** What a load needs. */
export interface RunLoadArgs {
  /** Name under which the ledger keeps what was loaded. */
  workload: string;
  loader: LoaderDefinition;
  /** Path of the SQLite file. */
  source: string;
  /** Where the private copy is kept (`openSnapshot`). */
  copyPath: string;
  /** The database itself (no pooler), as the loading role. */
  target: Connection;
  /** Told of every step. */
  events?: (event: LoadEvent) => void;
  /** Stops the load; what was committed stands. */
  signal?: AbortSignal;
  /**
   * Rows a part: what one transaction writes and one digest covers.
   * @default 50000
   */
  partRows?: number;
  /**
   * Rows that may be rejected, because a value does not fit its target column, before the load fails: a number of rows,
   * or a share of the load's rows such as "0.1%". The rows that fit are loaded either way.
   * @default 0
   */
  maxRejects?: MaxRejects;
  /**
   * How long, in ms, to wait for another loader to end.
   * @default 30000
   */
  lockWaitMs?: number;
}

/**
 * Loads what the target lacks, and brings it in line with what changed in the source. Safe to run again at any time,
 * after a kill too: a part's rows and its ledger row commit together.
 *
 * @throws TimeliftError as `openSnapshot`, `resolveTable`, `takeAdvisoryLock`; rows-rejected, max-rejects, target-*,
 * load-interrupted
 */
export async function runLoad(args: RunLoadArgs): Promise<LoadResult> {
  const start = performance.now();
  const events = args.events ?? (() => {});
  const snapshot = await openSnapshot(args.source, args.copyPath);
  const { reused, longestLockMs } = snapshot;
  events({ kind: "snapshot", reused, longestLockMs, ms: performance.now() - start });

  const where = `database ${args.target.database} at ${args.target.host}:${args.target.port}`;
  let client: pg.Client | undefined;
  let reader: SourceReader | undefined;
  let lost: Error | undefined;
  const stop = () => {
    // The server sees the closed socket and rolls back; waiting for a statement to end could take minutes.
    socketOf(client)?.destroy();
    void reader?.close();
  };
  try {
    args.signal?.throwIfAborted();
    client = await connect(args.target, "load");
    client.on("error", (error) => {
      lost ??= error;
    });
    client.on("end", () => {
      lost ??= new Error("the server closed it");
    });
    args.signal?.addEventListener("abort", stop, { once: true });
    await prepareSession(client);
    await takeAdvisoryLock(client, loading, args.signal, args.lockWaitMs);
    const ledger = await Ledger.open(client, args.workload);
    reader = new SourceReader(snapshot.path);
    const context: LoadContext = {
      client,
      reader,
      ledger,
      partRows: args.partRows ?? 50_000,
      budget: new RejectBudget(0, 0),
      events,
      signal: args.signal,
    };
    const rejects = new RejectCheck(context, args.workload, args.maxRejects ?? 0);
    const result = await loadAll(context, args.loader, snapshot, rejects);
    return { ...result, ms: Math.round(performance.now() - start) };
  } catch (error) {
    if (args.signal?.aborted) throw interrupted(where, args.signal.reason);
    // Whatever a broken connection makes of the statement under way, the cause is the connection.
    if (!(error instanceof TimeliftError) && (lost || socketOf(client)?.writable === false)) {
      throw connectionLost(where, lost ?? (error as Error));
    }
    throw targetError(where, error);
  } finally {
    args.signal?.removeEventListener("abort", stop);
    await reader?.close();
    await client?.end().catch(() => {});
  }
}

/** The socket under a client; pg has no public name for it. */
function socketOf(client: pg.Client | undefined): Socket | undefined {
  return (client as unknown as { connection: { stream: Socket } } | undefined)?.connection.stream;
}

async function prepareSession(client: pg.Client): Promise<void> {
  await client.query("SET TimeZone = 'UTC'; SET client_min_messages = error; SET statement_timeout = 0");
  // A crash of the server may lose the last parts, but with their ledger rows: the next load goes on before them.
  await client.query("SET synchronous_commit = off");
  // Lets the server notice a killed loader in the middle of a long statement; not every platform can.
  await client.query("SET client_connection_check_interval = '2s'").catch(() => {});
}

async function loadAll(
  context: LoadContext,
  loader: LoaderDefinition,
  snapshot: Snapshot,
  rejects: RejectCheck,
): Promise<Omit<LoadResult, "ms">> {
  const { client, ledger, events } = context;
  const tasks = await prepareTasks(client, loader, snapshot.path);
  const before = await ledger.tables();
  const plan: Write[] = [];
  for (const task of tasks) {
    const decided = await decide(client, context.reader, task, before.get(task.name));
    const { action, retry } = await planRetry(context, task, decided, before.get(task.name));
    plan.push({ task, action, retry });
    events({
      kind: "table",
      table: task.name,
      action: nameOf(action, before.get(task.name)),
      rows: rowsOf(action),
    });
  }
  await rejects.begin(plan, before);
  const loads = await rejects.guard(() => write(context, plan, before, snapshot.fingerprint));
  const after = loads.size > 0 ? await ledger.tables() : before;
  const tables: LoadResult["tables"] = {};
  const parts: LoadResult["parts"] = {};
  for (const { name } of tasks) {
    const rows = after.get(name)?.rows ?? 0;
    const load = loads.get(name) ?? { rows, inserted: 0, updated: 0, deleted: 0, ms: 0 };
    tables[name] = { ...load, rejected: after.get(name)?.rejected ?? 0 };
    parts[name] = after.get(name)?.parts ?? [];
  }
  await rejects.end(after);
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  const rejected = Object.values(tables).reduce((sum, table) => sum + (table.rejected ?? 0), 0);
  return { fingerprint: snapshot.fingerprint, tables, parts, rows, rejected };
}

/** Pairs source and target of every entry, so that every mistake shows before the first row is written. */
async function prepareTasks(
  client: pg.ClientBase,
  loader: LoaderDefinition,
  copyPath: string,
): Promise<TableTask[]> {
  const { reads, schema } = planSource(copyPath, loader);
  const tasks = new Map<string, TableTask>();
  for (const planned of reads) {
    const definition = loader.tables[planned.target] ?? {};
    const table = await readTargetTable(client, planned.target);
    const resolved = resolveTable(definition, findSourceTable(schema, planned.read.table), table);
    const names = resolved.columns.map((column) => column.target);
    const order = (definition.order ?? []).map((name) => {
      const position = names.indexOf(name);
      if (position >= 0) return position;
      throw new TimeliftError({
        code: "order-column-missing",
        subject: `target column ${planned.target}.${name}`,
        problem: `the loader orders by it, but no source column lands there.${didYouMean(name, names)}`,
        remedy: 'Mend "order" in the loader; it takes target columns.',
      });
    });
    tasks.set(planned.target, { name: planned.target, planned, resolved, table, order });
  }
  // Before the keys are there, the source's own references give the order.
  const targetsOf = (sourceTable: string) =>
    [...tasks.values()].filter((task) => task.planned.read.table === sourceTable).map((task) => task.name);
  const ordered = orderTables([...tasks.keys()], (name) => [
    ...(tasks.get(name)?.table.foreignKeys.map((key) => key.table) ?? []),
    ...(tasks.get(name)?.resolved.source.foreignKeys.flatMap((key) => targetsOf(key.table)) ?? []),
  ]);
  return ordered.flatMap((name) => tasks.get(name) ?? []);
}

/** Rows that are only added commit part by part; as soon as anything changed, all of it is one transaction. */
async function write(
  context: LoadContext,
  plan: Write[],
  before: Map<string, LedgerTable>,
  fingerprint: string,
): Promise<Map<string, TableLoad>> {
  const writes = plan.filter((each) => each.action.kind !== "none" || each.retry !== null);
  if (writes.length === 0) return new Map();
  await context.ledger.begin(fingerprint);
  const merging = writes.some(({ action }) => action.kind === "merge");
  const loads = merging ? await applyChanges(context, writes, before) : await append(context, writes, before);
  for (const { task } of writes) {
    try {
      await advanceSequences(context.client, task.resolved);
      const written = loads.get(task.name)?.inserted ?? 0;
      if (written <= analyzedRows) await context.client.query(`ANALYZE ${quoteIdentifier(task.name)}`);
    } catch (error) {
      throw targetError(`target table ${task.name}`, error);
    }
    const load = loads.get(task.name);
    if (load) {
      load.ms = Math.round(load.ms);
      const { inserted, updated, deleted, ms } = load;
      context.events({ kind: "loaded", table: task.name, inserted, updated, deleted, ms });
    }
  }
  // From here on nothing may be lost: this commit waits until all before it are on disk.
  await context.client.query("SET synchronous_commit = on");
  await context.ledger.finish();
  return loads;
}

async function append(
  context: LoadContext,
  writes: Write[],
  before: Map<string, LedgerTable>,
): Promise<Map<string, TableLoad>> {
  const loads = new Map<string, TableLoad>();
  for (const { task, action, retry } of writes) {
    const start = performance.now();
    const anew = action.kind === "append" && action.anew;
    try {
      let inserted = 0;
      if (retry !== null) {
        await context.client.query("BEGIN");
        inserted = await applyRetry(context, task, retry);
        await context.client.query("COMMIT");
      }
      if (action.kind === "append") {
        inserted += await copyTable(context, task, action.range, { anew, inTransaction: false });
      }
      const rows = (anew ? 0 : (before.get(task.name)?.rows ?? 0)) + inserted;
      loads.set(task.name, { rows, inserted, updated: 0, deleted: 0, ms: performance.now() - start });
    } catch (error) {
      throw targetError(`target table ${task.name}`, error);
    }
  }
  return loads;
}

function nameOf(action: Action, known: LedgerTable | undefined): "unchanged" | "load" | "append" | "merge" {
  if (action.kind === "none") return "unchanged";
  if (action.kind === "merge") return "merge";
  return known === undefined || action.anew ? "load" : "append";
}

function rowsOf(action: Action): number {
  return action.kind === "none" ? 0 : action.rows;
}

function interrupted(subject: string, reason: unknown): TimeliftError {
  return new TimeliftError({
    code: "load-interrupted",
    subject,
    problem: `the load was stopped (${reason instanceof Error ? reason.message : String(reason)}). Parts that were committed stand.`,
    remedy: "Run it again: it goes on with the first part that is missing.",
    cause: reason,
  });
}
