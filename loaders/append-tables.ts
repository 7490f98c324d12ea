import type { Write } from "./apply-changes.ts";
import { copyTable, type LoadContext } from "./copy-table.ts";
import type { LedgerTable } from "./ledger.ts";
import type { TableLoad } from "./load-result.ts";
import { RejectFlood } from "./reject-flood.ts";
import { applyRetry } from "./reject-retry.ts";
import { splitRange } from "./source/split-range.ts";
import { requireStill } from "./source/still-source.ts";
import type { RowRange } from "./source/table-reader.ts";
import { targetError } from "./target-error.ts";

/** Tables with fewer parts than this are not worth sharing between lanes. */
const partsWorthSplitting = 4;
/** Stretches for each lane, so that none waits long for the last one. */
const stretchesALane = 2;

/** A table that is being written. */
interface Work {
  write: Write;
  ranges: RowRange[];
  /** Ranges that a lane is writing. */
  busy: number;
  retried: boolean;
  since: number;
  load: TableLoad;
}

/**
 * Writes rows that the target lacks, part by part, over as many connections as there are lanes: tables side by side,
 * and large ones in stretches. A table whose keys are there comes after those it refers to.
 *
 * @param lanes the first is the load's own
 * @param path the file that is read
 */
export async function appendTables(
  lanes: LoadContext[],
  path: string,
  writes: Write[],
  before: Map<string, LedgerTable>,
): Promise<Map<string, TableLoad>> {
  const waiting: Work[] = [];
  for (const write of writes) waiting.push(await begin(lanes, path, write, before));
  const queue = new WorkQueue(waiting);
  const results = await Promise.allSettled(lanes.map((lane) => serve(lane, queue)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw queue.failure ?? failed.reason;
  return new Map(waiting.map(({ write, load }) => [write.task.name, load]));
}

async function begin(
  [main, ...others]: LoadContext[],
  path: string,
  write: Write,
  before: Map<string, LedgerTable>,
): Promise<Work> {
  const { task, action } = write;
  const anew = action.kind === "append" && action.anew;
  if (anew) await main?.ledger.forget(task.name);
  const rows = anew ? 0 : (before.get(task.name)?.rows ?? 0);
  const load: TableLoad = { rows, inserted: 0, updated: 0, deleted: 0, ms: 0 };
  const ranges = action.kind === "append" ? action.ranges : [];
  const large = action.kind === "append" && action.rows >= partsWorthSplitting * (main?.partRows ?? 0);
  const refersToItself = task.parents.has(task.name);
  const splits = others.length > 0 && large && !refersToItself;
  const pieces = splits ? stretchesALane * (others.length + 1) : 1;
  return {
    write,
    ranges: splits ? ranges.flatMap((range) => splitRange(path, task.planned.read, range, pieces)) : ranges,
    busy: 0,
    retried: write.retry === null,
    since: 0,
    load,
  };
}

/** Takes work until there is none; the first failure ends all lanes. */
async function serve(lane: LoadContext, queue: WorkQueue): Promise<void> {
  for (;;) {
    const work = await queue.next();
    if (work === null) return;
    const { task } = work.write;
    try {
      const inserted = await step(lane, work);
      work.load.inserted += inserted;
      work.load.rows += inserted;
      queue.done(work);
    } catch (error) {
      queue.fail(targetError(`target table ${task.name}`, error));
      // The other lanes may wait for locks of the transaction that it leaves. A flood leaves none.
      if (!(error instanceof RejectFlood)) lane.abandon();
      throw error;
    }
  }
}

async function step(lane: LoadContext, work: Work): Promise<number> {
  const { task, retry } = work.write;
  if (!work.retried && retry !== null) {
    work.retried = true;
    await lane.client.query("BEGIN");
    const inserted = await applyRetry(lane, task, retry);
    requireStill(lane.mark);
    await lane.client.query("COMMIT");
    return inserted;
  }
  const range = work.ranges.shift();
  return range === undefined ? 0 : copyTable(lane, task, range, { anew: false, inTransaction: false });
}

/** Hands out tables, and stretches of tables, to lanes. */
class WorkQueue {
  failure: unknown = null;
  #open: Work[];
  #wake: (() => void)[] = [];

  constructor(work: Work[]) {
    this.#open = work.filter((each) => !isEmpty(each));
  }

  /** The next piece of work; null when there will be none. */
  async next(): Promise<Work | null> {
    for (;;) {
      if (this.failure !== null || this.#open.length === 0) return null;
      const startable = this.#open.filter((work) => !isEmpty(work));
      // Tables that refer to each other in a circle would wait for ever; the server judges their rows then.
      const stuck = this.#open.every((work) => work.busy === 0) ? startable[0] : undefined;
      const ready = startable.find((work) => this.#isReady(work)) ?? stuck;
      if (ready !== undefined) {
        if (ready.since === 0) ready.since = performance.now();
        ready.busy += 1;
        return ready;
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  done(work: Work): void {
    work.busy -= 1;
    if (work.busy === 0 && isEmpty(work)) {
      work.load.ms = performance.now() - work.since;
      this.#open = this.#open.filter((each) => each !== work);
    }
    this.#wakeAll();
  }

  fail(error: unknown): void {
    this.failure ??= error;
    this.#wakeAll();
  }

  #isReady({ write }: Work): boolean {
    const { name, parents } = write.task;
    return !this.#open.some(({ write: { task } }) => task.name !== name && parents.has(task.name));
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function isEmpty(work: Work): boolean {
  return work.retried && work.ranges.length === 0;
}
