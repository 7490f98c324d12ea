import type pg from "pg";
import { appendTables } from "./append-tables.ts";
import { applyChanges, type Write } from "./apply-changes.ts";
import { allowChanges, planDirectLoads } from "./columnstore.ts";
import type { LoadContext } from "./copy-table.ts";
import { quoteIdentifier } from "./identifier.ts";
import { advanceSequences } from "./identity-sequence.ts";
import type { LedgerTable } from "./ledger.ts";
import type { TableLoad } from "./load-result.ts";
import type { TableTask } from "./table-task.ts";
import { targetError } from "./target-error.ts";

/**
 * Tables that received more rows are left to autovacuum: to sample 240 chunks with 2.5 million rows takes as long as to
 * load them.
 */
const analyzedRows = 100_000;

/** What the writing of all tables needs. */
export interface WriteRowsArgs {
  context: LoadContext;
  /** Opens the lanes beside the load's own. */
  addLanes: () => Promise<LoadContext[]>;
  /** The file that is read. */
  path: string;
  writes: Write[];
  /** Every table of the load, a table after those it refers to. */
  tasks: TableTask[];
  before: Map<string, LedgerTable>;
  /** As `RunLoadArgs.columnstoreAfter`. */
  columnstoreAfter: (() => Promise<Record<string, string>>) | undefined;
}

/** Rows that are only added commit some parts at a time; as soon as anything changed, all of it is one transaction. */
export async function writeRows(args: WriteRowsArgs): Promise<Map<string, TableLoad>> {
  const { context, writes, before, columnstoreAfter } = args;
  const { client } = context;
  if (writes.some(({ action }) => action.kind === "merge")) {
    await allowChanges(client);
    return applyChanges(context, writes, before, args.tasks);
  }
  if (columnstoreAfter) {
    await planDirectLoads(
      client,
      writes.map(({ task }) => task),
      await columnstoreAfter(),
    );
  }
  return appendTables([context, ...(await args.addLanes())], args.path, writes, before);
}

/** What a table needs once its rows are there. */
export async function settleTable(client: pg.ClientBase, task: TableTask, inserted: number): Promise<void> {
  try {
    await advanceSequences(client, task.resolved);
    if (inserted <= analyzedRows) await client.query(`ANALYZE ${quoteIdentifier(task.name)}`);
  } catch (error) {
    throw targetError(`target table ${task.name}`, error);
  }
}
