import { type LoadContext, stageRows } from "./copy-table.ts";
import { Merge } from "./merge-table.ts";
import { RejectBudget } from "./reject-limit.ts";
import type { TableTask } from "./table-task.ts";

/**
 * Writes rows again that a cascade took along although the source still has them: those of a row that was deleted and
 * inserted again, because its key changed. What cannot be written, because the source's rows refer to nothing, stays out.
 *
 * @param number sets its staging table apart from others of the transaction
 */
export async function restoreRows(context: LoadContext, task: TableTask, number: number): Promise<void> {
  const { client } = context;
  const merge = new Merge(client, task.resolved, task.table, number);
  if (!merge.keyed) return;
  await merge.begin();
  // Rows that do not fit are in the ledger already, and count there.
  await stageRows(
    { ...context, budget: new RejectBudget(Number.POSITIVE_INFINITY, 0) },
    task,
    {},
    merge.stage,
  );
  await merge.staged();
  await client.query("SAVEPOINT timelift_restore");
  try {
    await merge.insert();
    await client.query("RELEASE timelift_restore");
  } catch (error) {
    if ((error as { code?: string }).code !== "23503") throw error;
    await client.query("ROLLBACK TO timelift_restore");
  }
}
