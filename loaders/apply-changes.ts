import { copyTable, type LoadContext, type StagedParts, stageRows } from "./copy-table.ts";
import { readKeptReferences } from "./kept-references.ts";
import type { LedgerTable } from "./ledger.ts";
import type { Part, TableLoad } from "./load-result.ts";
import { Merge } from "./merge-table.ts";
import { applyRetry, type Retry } from "./reject-retry.ts";
import { restoreRows } from "./restore-rows.ts";
import { requireStill } from "./source/still-source.ts";
import { type Action, type TableTask, targetRows, wholeMerge } from "./table-task.ts";
import { targetError } from "./target-error.ts";
import { TimeliftError } from "./timelift-error.ts";

/** One table's part in a load. */
export interface Write {
  task: TableTask;
  action: Action;
  /** What becomes of rows that earlier loads rejected; null where there is nothing to do. */
  retry: Retry | null;
}

interface Change extends Write {
  /** Set for a merge. */
  merge?: Merge;
  staged: StagedParts;
  load: TableLoad;
}

/**
 * Brings changed, grown and new tables in line with the source in one transaction, so that no reader sees half of it
 * and rows that refer to each other arrive together. First the deletes, last table first; then updates and inserts,
 * first table first; a delete that is still referred to waits until then. Rows that a cascade takes along although the
 * source still has them are written again.
 *
 * @param plan in the order of their references: a table after those it refers to
 * @param tasks every table of the load, in the same order
 */
export async function applyChanges(
  context: LoadContext,
  plan: Write[],
  before: Map<string, LedgerTable>,
  tasks: TableTask[],
): Promise<Map<string, TableLoad>> {
  const { client } = context;
  await client.query("BEGIN");
  const changes: Change[] = [];
  for (const [number, each] of plan.entries()) {
    changes.push(await about(each.task, () => stage(context, each, before, number)));
  }
  const waiting: Change[] = [];
  for (const change of changes.toReversed()) {
    if (!(await about(change.task, () => deleteRows(context, change)))) waiting.push(change);
  }
  for (const change of changes) await about(change.task, () => writeRows(context, change, before));
  for (const change of waiting) {
    await about(change.task, async () => {
      change.load.deleted += (await change.merge?.delete()) ?? 0;
    });
  }
  if (changes.some(({ load, merge }) => load.deleted > 0 || merge?.replacedRows)) {
    await restoreCascaded(context, changes, before, tasks);
    for (const change of changes) await requireCount(context, change);
    await requireUntouched(context, changes, before);
  }
  requireStill(context.mark);
  await client.query("COMMIT");
  return new Map(changes.map((change) => [change.task.name, change.load]));
}

async function stage(
  context: LoadContext,
  write: Write,
  before: Map<string, LedgerTable>,
  number: number,
): Promise<Change> {
  const { task } = write;
  let { action } = write;
  const load: TableLoad = { rows: 0, inserted: 0, updated: 0, deleted: 0, ms: 0 };
  if (action.kind !== "merge") return { ...write, staged: { parts: [], rejects: [] }, load };
  const start = performance.now();
  const merge = new Merge(context.client, task.resolved, task.table, number);
  await merge.begin();
  let staged = await stageRows(context, task, action.range, merge.stage);
  const known = before.get(task.name);
  if (staged.rejects.length > 0 && !action.full && known !== undefined) {
    // The target may hold a rejected row as it was before: only a look at all rows finds it.
    context.budget.left += staged.rejects.length;
    action = await wholeMerge(context.client, task, known, action.rows);
    await merge.restart();
    staged = await stageRows(context, task, {}, merge.stage);
  }
  await merge.staged();
  load.ms += performance.now() - start;
  return { ...write, action, merge, staged, load };
}

/** False when other rows still refer to those that have to go. */
async function deleteRows({ client }: LoadContext, { action, merge, load }: Change): Promise<boolean> {
  if (action.kind !== "merge" || !action.full || !merge?.keyed) return true;
  const start = performance.now();
  await client.query("SAVEPOINT timelift_delete");
  try {
    load.deleted += await merge.delete();
    await client.query("RELEASE timelift_delete");
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "23503") throw error;
    await client.query("ROLLBACK TO timelift_delete");
    return false;
  } finally {
    load.ms += performance.now() - start;
  }
}

async function writeRows(
  context: LoadContext,
  change: Change,
  before: Map<string, LedgerTable>,
): Promise<void> {
  const { task, action, merge, load } = change;
  const { ledger } = context;
  const start = performance.now();
  const known = before.get(task.name);
  if (action.kind !== "merge" || merge === undefined) {
    const anew = action.kind === "append" && action.anew;
    if (change.retry !== null) load.inserted = await applyRetry(context, task, change.retry);
    if (action.kind === "append") {
      for (const [i, range] of action.ranges.entries()) {
        load.inserted += await copyTable(context, task, range, {
          anew: anew && i === 0,
          inTransaction: true,
        });
      }
    }
    load.rows = (anew ? 0 : (known?.rows ?? 0)) + load.inserted;
  } else if (merge.keyed) {
    load.updated = await merge.update();
    load.inserted = await merge.insert();
    if (action.full) {
      load.rows = await remember(context, task, change.staged);
    } else {
      await ledger.forget(task.name);
      for (const part of withTail(known?.parts ?? [], change.staged.parts, load.inserted)) {
        await ledger.add(task.name, task.planned.seed, part);
      }
      load.rows = (known?.rows ?? 0) + load.inserted;
    }
  } else {
    const { inserted, deleted } = await merge.replace();
    load.inserted = inserted;
    load.deleted = deleted;
    load.rows = await remember(context, task, change.staged);
  }
  load.ms += performance.now() - start;
}

/** Writes a table's ledger anew; returns the rows that the table has by it. */
async function remember({ ledger }: LoadContext, task: TableTask, staged: StagedParts): Promise<number> {
  await ledger.forget(task.name);
  for (const part of staged.parts) await ledger.add(task.name, task.planned.seed, part);
  await ledger.reject(task.name, task.planned.read.table, staged.rejects);
  return staged.parts.reduce((sum, part) => sum + part.rows, 0);
}

/** `updatedAt`: what came later is one part behind the others, with the last value seen. */
function withTail(parts: Part[], staged: Part[], inserted: number): Part[] {
  const isTail = (part: Part) => part.digest === "updated";
  const rows = parts.filter(isTail).reduce((sum, part) => sum + part.rows, 0) + inserted;
  const upTo = staged.at(-1)?.upTo;
  const tail: Part = { lo: null, hi: null, rows, digest: "updated" };
  return [...parts.filter((part) => !isTail(part)), upTo === undefined ? tail : { ...tail, upTo }];
}

/** Writes again what a cascade took along, first table first, where the source still has it. */
async function restoreCascaded(
  context: LoadContext,
  changes: Change[],
  before: Map<string, LedgerTable>,
  tasks: TableTask[],
): Promise<void> {
  for (const [number, task] of tasks.entries()) {
    if (!task.table.foreignKeys.some((key) => key.cascades)) continue;
    const change = changes.find((each) => each.task === task);
    const rows = change?.load.rows ?? before.get(task.name)?.rows ?? 0;
    if ((await targetRows(context.client, task.name)) >= rows) continue;
    await about(task, () => restoreRows(context, task, changes.length + number));
  }
}

/** A delete that cascades may have taken rows along that the source still has, but that refer to nothing there. */
async function requireCount({ client }: LoadContext, { task, load }: Change): Promise<void> {
  const there = await targetRows(client, task.name);
  if (there !== load.rows) throw cascaded(task.name, there, load.rows);
}

/** Tables that did not change themselves may have lost rows to a cascade. */
async function requireUntouched(
  { client }: LoadContext,
  changes: Change[],
  before: Map<string, LedgerTable>,
): Promise<void> {
  const changed = new Set(changes.map((change) => change.task.name));
  const kept = (await readKeptReferences(client)).filter(({ cascades }) => cascades);
  for (const [table, { rows }] of before) {
    if (changed.has(table)) continue;
    const { rows: children } = await client.query(
      `SELECT FROM pg_constraint WHERE conrelid = to_regclass(quote_ident($1)) AND contype = 'f' AND confdeltype <> 'a'`,
      [table],
    );
    if (children.length === 0 && !kept.some((reference) => reference.table === table)) continue;
    const there = await targetRows(client, table);
    if (there < rows) throw cascaded(table, there, rows);
  }
}

function cascaded(table: string, there: number, expected: number): TimeliftError {
  return new TimeliftError({
    code: "target-cascade",
    subject: `target table ${table}`,
    problem: `it would hold ${there} rows where the source has ${expected}: a delete in a table it refers to takes rows along, or a trigger interferes. Nothing was changed.`,
    remedy:
      "Look for rows in the source that refer to deleted ones (PRAGMA foreign_key_check), and mend them there.",
  });
}

async function about<T>(task: TableTask, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw targetError(`target table ${task.name}`, error);
  }
}
