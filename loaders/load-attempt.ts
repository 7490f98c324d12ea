import type pg from "pg";
import { takeAdvisoryLock } from "./advisory-lock.ts";
import type { Write } from "./apply-changes.ts";
import { describeTarget } from "./connection.ts";
import type { LoadContext } from "./copy-table.ts";
import type { LoaderDefinition } from "./define-loader.ts";
import { findKeyRejects } from "./key-rejects.ts";
import { Ledger, type LedgerTable } from "./ledger.ts";
import type { LoadEvent } from "./load-event.ts";
import { LoadLane, laneCount } from "./load-lane.ts";
import { loading } from "./load-lock.ts";
import { LoadProgress } from "./load-progress.ts";
import type { LoadResult, TableLoad } from "./load-result.ts";
import { LoadSession } from "./load-session.ts";
import { prepareTasks } from "./prepare-tasks.ts";
import { RejectCheck } from "./reject-check.ts";
import { allowedRejects, type MaxRejects, RejectBudget } from "./reject-limit.ts";
import { planRetry } from "./reject-retry.ts";
import { recordSource } from "./reverse/record-source.ts";
import { readSourceRecord } from "./reverse/recorded-source.ts";
import type { SourceRecord } from "./reverse/source-record.ts";
import type { RunLoadArgs } from "./run-load.ts";
import { requireSound } from "./source/open-source.ts";
import { type PlannedSource, planSource } from "./source/scan-source.ts";
import { openSnapshot, type Snapshot } from "./source/snapshot.ts";
import { readSourceHeader } from "./source/source-header.ts";
import { SourceReader } from "./source/source-reader.ts";
import { requireStill, SourceMoved } from "./source/still-source.ts";
import { type Action, decide, isInLine, type TableTask } from "./table-task.ts";
import { connectionLost, targetError } from "./target-error.ts";
import { TimeliftError } from "./timelift-error.ts";

/** One try of a load after another, over connections of its own. */
export class LoadAttempt {
  readonly #args: RunLoadArgs;
  /** Whether a source that nobody writes to may be read where it is. */
  inPlace = true;
  #connected = false;
  #committed = 0;

  constructor(args: RunLoadArgs) {
    this.#args = args;
  }

  /** Whether parts were committed since this was asked last. */
  madeProgress(): boolean {
    const progressed = this.#committed > 0;
    this.#committed = 0;
    return progressed;
  }

  /** A server that was never reached is reported at once; one that went away may come back. */
  mayRetry(error: unknown): boolean {
    if (!this.#connected || this.#args.signal?.aborted || !(error instanceof TimeliftError)) return false;
    return ["target-connection-lost", "database-unreachable", "database-starting"].includes(error.code);
  }

  async run(): Promise<Omit<LoadResult, "ms">> {
    const { source, copyPath, target, signal, loader } = this.#args;
    const start = performance.now();
    const where = describeTarget(target);
    const open: { break(): void; lost: Error | null }[] = [];
    const stop = () => {
      for (const each of open) each.break();
    };
    let connecting: Promise<LoadSession> | undefined;
    let reader: SourceReader | undefined;
    const lanes: LoadLane[] = [];
    try {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", stop, { once: true });
      connecting = LoadSession.open(target);
      // Awaited below; until then a refusal would count as unhandled.
      connecting.catch(() => {});
      const { snapshot, planned } = await this.#openSource(source, copyPath, loader);
      const { longestLockMs, path } = snapshot;
      this.#event({
        kind: "snapshot",
        read: howRead(snapshot),
        longestLockMs,
        ms: performance.now() - start,
      });
      reader = new SourceReader(path);
      const session = await connecting;
      this.#connected = true;
      open.push(session);
      signal?.throwIfAborted();
      const { client } = session;
      await takeAdvisoryLock(client, loading, signal, this.#args.lockWaitMs);
      const context: LoadContext = {
        client,
        abandon: () => session.abandon(),
        reader,
        ledger: await Ledger.open(client, this.#args.workload),
        mark: snapshot.mark,
        partRows: this.#args.partRows ?? 50_000,
        budget: new RejectBudget(0, 0),
        progress: new LoadProgress((event) => this.#event(event)),
        signal,
      };
      const addLanes = async () => {
        const count = await laneCount(client, this.#args.workers);
        while (lanes.length < count - 1) {
          const lane = await LoadLane.open(context, target, path);
          lanes.push(lane);
          open.push(lane);
        }
        return lanes.map((lane) => lane.context);
      };
      return await this.#load(context, addLanes, planned, snapshot);
    } catch (error) {
      if (signal?.aborted) throw interrupted(where, signal.reason);
      if (error instanceof SourceMoved) throw error;
      // Whatever a broken connection makes of the statement under way, the cause is the connection.
      const lost = open.find((each) => each.lost !== null)?.lost;
      if (!(error instanceof TimeliftError) && lost) throw connectionLost(where, lost);
      throw targetError(where, error);
    } finally {
      signal?.removeEventListener("abort", stop);
      for (const lane of lanes) await lane.end();
      await reader?.close();
      // It may have opened although the source could not be read.
      await connecting?.then(
        (session) => session.end(),
        () => {},
      );
    }
  }

  /** Tables that are read through one long statement would lock writers out, so they are read from a copy. */
  async #openSource(source: string, copyPath: string, loader: LoaderDefinition) {
    const snapshot = await openSnapshot(source, copyPath, { inPlace: this.inPlace });
    const planned = planSource(snapshot.path, loader);
    if (snapshot.mark === null || planned.reads.every(({ read }) => read.rowid !== null)) {
      return { snapshot, planned };
    }
    return { snapshot: await openSnapshot(source, copyPath), planned };
  }

  async #load(
    context: LoadContext,
    addLanes: () => Promise<LoadContext[]>,
    planned: PlannedSource,
    { fingerprint, path }: Snapshot,
  ): Promise<Omit<LoadResult, "ms">> {
    const { client, ledger } = context;
    const { loader, force = false, workload, maxRejects = 0 } = this.#args;
    const before = await ledger.tables();
    const isIdle = planned.reads.every((read) => isInLine(before.get(read.target), read, fingerprint));
    if (!isIdle) {
      context.reader.start();
      if (context.mark !== null) requireSound(path);
    }
    const isSettled = isIdle && !force && [...before.values()].every(({ rejected }) => rejected === 0);
    const keys = isSettled ? [] : ((await this.#args.keys?.()) ?? []);
    const tasks = await prepareTasks(client, loader, planned, keys);
    const actions = new Map<string, Action>();
    for (const task of tasks) {
      const known = before.get(task.name);
      actions.set(task.name, await decide(client, context.reader, task, known, { fingerprint, force }));
    }
    const names = tasks.map(({ name }) => name);
    const rejects = new RejectCheck(context, workload, names, maxRejects);
    if (keys.length > 0) {
      const most = mostRefused(maxRejects, actions, before);
      await rejects.guard(() =>
        findKeyRejects({ context, loader, planned, tasks, actions, keys, before, fingerprint, force, most }),
      );
    }
    const plan: Write[] = [];
    for (const task of tasks) {
      const known = before.get(task.name);
      const decided = actions.get(task.name) ?? { kind: "none" };
      const { action, retry } = await planRetry(context, task, decided, known);
      plan.push({ task, action, retry });
      this.#event({ kind: "table", table: task.name, action: nameOf(action, known), rows: rowsOf(action) });
    }
    await rejects.begin(plan, before);
    const writes = plan.filter((each) => each.action.kind !== "none" || each.retry !== null);
    const loads = new Map<string, TableLoad>();
    if (writes.length > 0) {
      await ledger.begin(
        fingerprint,
        writes.map(({ task }) => task.name),
      );
      // Read only when there is something to write: most loads find nothing to do.
      const { settleTable, writeRows } = await import("./write-rows.ts");
      const { columnstoreAfter } = this.#args;
      const written = await rejects.guard(() =>
        writeRows({ context, addLanes, path, writes, tasks, before, columnstoreAfter }),
      );
      for (const { task } of writes) {
        const load = written.get(task.name);
        await settleTable(client, task, load?.inserted ?? 0);
        if (load === undefined) continue;
        load.ms = Math.round(load.ms);
        loads.set(task.name, load);
        const { inserted, updated, deleted, ms } = load;
        this.#event({ kind: "loaded", table: task.name, inserted, updated, deleted, ms });
      }
    }
    const known = await readSourceRecord(client, workload);
    const isRecorded = known?.fingerprint === fingerprint && writes.length === 0;
    const record = isRecorded
      ? known
      : recordSource(path, fingerprint, tasks, {
          before: known,
          // A file that this process reads in place must not be opened beside SQLite.
          ...(context.mark === null && { wal: readSourceHeader(this.#args.source).wal }),
        });
    requireStill(context.mark);
    await this.#agree(ledger, client, tasks, before, record, !isRecorded);
    const after = loads.size > 0 ? await ledger.tables() : before;
    await rejects.end(after);
    return { fingerprint, ...resultOf(tasks, loads, after) };
  }

  async #agree(
    ledger: Ledger,
    client: pg.ClientBase,
    tasks: TableTask[],
    before: Map<string, LedgerTable>,
    record: SourceRecord,
    isNews: boolean,
  ): Promise<void> {
    const { fingerprint } = record;
    const names = tasks.map(({ name }) => name);
    const known = names.flatMap((name) => before.get(name) ?? []);
    if (!isNews && known.every((table) => table.fingerprint === fingerprint)) return;
    // From here on nothing may be lost: this commit waits until all before it are on disk.
    await client.query("SET synchronous_commit = on");
    await ledger.agree(fingerprint, names, record);
  }

  #event(event: LoadEvent): void {
    if (event.kind === "part" || event.kind === "loaded") this.#committed += 1;
    this.#args.events?.(event);
  }
}

function resultOf(
  tasks: TableTask[],
  loads: Map<string, TableLoad>,
  after: Map<string, LedgerTable>,
): Omit<LoadResult, "ms" | "fingerprint"> {
  const tables: LoadResult["tables"] = {};
  const parts: LoadResult["parts"] = {};
  for (const { name } of tasks) {
    const known = after.get(name);
    const load = loads.get(name) ?? { rows: known?.rows ?? 0, inserted: 0, updated: 0, deleted: 0, ms: 0 };
    tables[name] = { ...load, rejected: known?.rejected ?? 0 };
    parts[name] = known?.parts ?? [];
  }
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  const rejected = Object.values(tables).reduce((sum, table) => sum + (table.rejected ?? 0), 0);
  return { tables, parts, rows, rejected };
}

function howRead({ mark, reused }: Snapshot): "in place" | "copy kept" | "new copy" {
  if (mark !== null) return "in place";
  return reused ? "copy kept" : "new copy";
}

function nameOf(action: Action, known: LedgerTable | undefined): "unchanged" | "load" | "append" | "merge" {
  if (action.kind === "none") return "unchanged";
  if (action.kind === "merge") return "merge";
  return known === undefined || action.anew ? "load" : "append";
}

/** Rows of one table that keys may refuse before it is clear that the load cannot end well. */
function mostRefused(
  maxRejects: MaxRejects,
  actions: Map<string, Action>,
  before: Map<string, LedgerTable>,
): number {
  const written = [...actions.values()].reduce((sum, action) => sum + rowsOf(action), 0);
  const known = [...before.values()].reduce((sum, { rows, rejected }) => sum + rows + rejected, 0);
  return new RejectBudget(allowedRejects(maxRejects, written + known), 0).left;
}

function rowsOf(action: Action): number {
  return action.kind === "none" ? 0 : action.rows;
}

/** A load that was asked to stop. */
export function interrupted(subject: string, reason: unknown): TimeliftError {
  return new TimeliftError({
    code: "load-interrupted",
    subject,
    problem: `the load was stopped (${reason instanceof Error ? reason.message : String(reason)}). Parts that were committed stand.`,
    remedy: "Run it again: it goes on with the first part that is missing.",
    cause: reason,
  });
}
