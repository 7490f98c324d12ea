import { isDeepStrictEqual } from "node:util";
import { copyRejected, encodedColumns, type LoadContext } from "./copy-table.ts";
import type { LedgerTable } from "./ledger.ts";
import type { RejectedRow } from "./reject.ts";
import { type Action, type TableTask, wholeMerge } from "./table-task.ts";

/** What is to be done about the rejected rows of a table. */
export interface Retry {
  /** Rows that fit now. */
  fits: bigint[];
  /** Rows that the source no longer has. */
  gone: bigint[];
  /** Rows that are still rejected, but for another reason or value. */
  changed: RejectedRow[];
}

/** A table's action with what becomes of its rejects. */
export interface RetriedAction {
  action: Action;
  /** Null where there is nothing to be done. */
  retry: Retry | null;
}

/**
 * Tries the rejected rows of earlier loads again: alone, where they can be found by rowid, else by comparing the whole
 * table. An action that reads the whole table anyway takes them along.
 */
export async function planRetry(
  context: LoadContext,
  task: TableTask,
  action: Action,
  known: LedgerTable | undefined,
): Promise<RetriedAction> {
  if (known === undefined || known.rejected === 0 || rereadsAll(action)) return { action, retry: null };
  const { client, reader, ledger } = context;
  const { read } = task.planned;
  const before = await ledger.rejects.rows(task.name);
  // Lines that somebody deleted leave rows that only a look at all of them finds.
  if (read.rowid === null || action.kind === "merge" || before.size !== known.rejected) {
    return { action: await wholeMerge(client, task, known, await reader.count(read)), retry: null };
  }
  const { fits, rejected, gone } = await reader.probe(read, encodedColumns(task), [...before.keys()]);
  const changed = rejected.filter((row) => !isDeepStrictEqual(row, before.get(row.rowid as bigint)));
  const idle = fits.length + gone.length + changed.length === 0;
  return { action, retry: idle ? null : { fits, gone, changed } };
}

/** Whether the table's ledger starts anew with this action, and its rejects with it. */
export function rereadsAll(action: Action): boolean {
  return (action.kind === "append" && action.anew) || (action.kind === "merge" && action.full);
}

/** Loads the rows that fit now and notes what became of the others, in the caller's transaction. Returns rows loaded. */
export async function applyRetry(context: LoadContext, task: TableTask, retry: Retry): Promise<number> {
  const { ledger } = context;
  const { fits, gone, changed } = retry;
  if (fits.length > 0) await copyRejected(context, task, fits);
  await ledger.settle(task.name, fits, gone);
  await ledger.rejects.forget(
    task.name,
    changed.map((row) => row.rowid as bigint),
  );
  await ledger.reject(task.name, task.planned.read.table, changed);
  return fits.length;
}
