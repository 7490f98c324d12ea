import { isDeepStrictEqual } from "node:util";
import { copyRejected, encodedColumns, type LoadContext } from "./copy-table.ts";
import type { LedgerTable } from "./ledger.ts";
import type { RejectedRow } from "./reject.ts";
import type { RefusedRows } from "./source/refused-rows.ts";
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
  if (known === undefined || rereadsAll(action)) return { action, retry: null };
  const { client, reader, ledger } = context;
  const { read } = task.planned;
  const refused: RefusedRows = task.refused ?? new Map();
  if (known.rejected === 0 && refused.size === 0) return { action, retry: null };
  const before = await ledger.rejects.rows(task.name);
  const mustReread =
    read.rowid === null ||
    (action.kind === "merge" && known.rejected > 0) ||
    // Lines that somebody deleted leave rows that only a look at all of them finds.
    before.size !== known.rejected ||
    leavesTarget(action, refused, before);
  if (mustReread) {
    return { action: await wholeMerge(client, task, known, await reader.count(read)), retry: null };
  }
  const rowids = [...before.keys()];
  const { fits, rejected, gone } = await reader.probe(read, encodedColumns(task), rowids, refused);
  const changed = rejected.filter((row) => !isDeepStrictEqual(row, before.get(row.rowid as bigint)));
  const idle = fits.length + gone.length + changed.length === 0;
  return { action, retry: idle ? null : { fits, gone, changed } };
}

/** Whether a row that the keys refuse now is in the target, and has to be taken out. */
function leavesTarget(action: Action, refused: RefusedRows, before: Map<bigint, RejectedRow>): boolean {
  const ranges = action.kind === "append" ? action.ranges : [];
  return [...refused.keys()].some((id) => {
    const rowid = BigInt(id);
    if (before.has(rowid)) return false;
    return !ranges.some(
      ({ lo, hi, beyond }) =>
        beyond === undefined && (lo === undefined || rowid >= lo) && (hi === undefined || rowid <= hi),
    );
  });
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
