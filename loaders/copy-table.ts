import type pg from "pg";
import { CopyRows } from "./copy-rows.ts";
import type { EncodedColumn } from "./encode/row-encoder.ts";
import { quoteIdentifier } from "./identifier.ts";
import type { Ledger } from "./ledger.ts";
import type { LoadProgress } from "./load-progress.ts";
import type { Part } from "./load-result.ts";
import { PartCopy } from "./part-copy.ts";
import type { RejectedRow } from "./reject.ts";
import { RejectFlood } from "./reject-flood.ts";
import type { RejectBudget } from "./reject-limit.ts";
import type { ColumnstoreLayout } from "./source/columnstore-rows.ts";
import type { Encoded } from "./source/encode-parts.ts";
import type { SourceReader } from "./source/source-reader.ts";
import { requireStill, type StillMark } from "./source/still-source.ts";
import type { RowRange } from "./source/table-reader.ts";
import type { TableTask } from "./table-task.ts";

/** What the writing of a table needs. */
export interface LoadContext {
  client: pg.ClientBase;
  /**
   * Ends the connection at once, so that the server rolls back what is under way and frees what others wait for. Nothing
   * can be asked of it afterwards.
   */
  abandon: () => void;
  reader: SourceReader;
  ledger: Ledger;
  /** Set where the source is read in place: nothing that was read counts unless it stood still. */
  mark: StillMark | null;
  /** Rows a part. */
  partRows: number;
  /** How many more rows may be rejected before the load stops. */
  budget: RejectBudget;
  progress: LoadProgress;
  signal?: AbortSignal;
}

/**
 * Parts that one transaction, and one COPY, writes: a COPY that goes on need not open every chunk again. A load that is
 * killed loses no more than these.
 */
const partsACommit = 5;

/**
 * Copies a range straight into its table, part by part. Parts commit with their ledger rows, unless `inTransaction`,
 * where the caller commits all of it. Returns the rows written.
 */
export async function copyTable(
  context: LoadContext,
  task: TableTask,
  range: RowRange,
  options: { anew: boolean; inTransaction: boolean },
): Promise<number> {
  const { client, ledger } = context;
  const copy = new PartCopy(client, task.name, columnsOf(task));
  const done: Extract<Encoded, { kind: "part" }>[] = [];
  let begun = false;
  let rows = 0;
  let { anew } = options;
  const begin = async () => {
    if (begun) return;
    begun = true;
    if (!options.inTransaction) await client.query("BEGIN");
    if (anew) await ledger.forget(task.name);
    anew = false;
  };
  const commit = async () => {
    if (!begun) return;
    await copy.finish();
    for (const { part, rejects } of done) {
      await ledger.reject(task.name, task.planned.read.table, rejects);
      await ledger.add(task.name, task.planned.seed, part);
      rows += part.rows;
    }
    requireStill(context.mark);
    if (!options.inTransaction) await client.query("COMMIT");
    begun = false;
    for (const { part } of done.splice(0)) context.progress.committed(task.name, part.rows);
  };
  for await (const message of encode(context, task, range, task.columnstore)) {
    if (message.kind === "rows") {
      await begin();
      const sent = message.bytes.length;
      await copy.write(message.bytes, message.store);
      context.progress.sent(task.name, message.rows, sent);
    } else if (message.kind === "part") {
      await begin();
      done.push(message);
      if (done.length === partsACommit) await commit();
    } else if (message.kind === "flood") {
      await commit();
      throw new RejectFlood(task.name, message.rejects);
    }
  }
  if (anew) await begin();
  await commit();
  return rows;
}

/** Parts of a range with the rows that were rejected from them, for the ledger. */
export interface StagedParts {
  parts: Part[];
  rejects: RejectedRow[];
}

/** Copies a range into a staging table. */
export async function stageRows(
  context: LoadContext,
  task: TableTask,
  range: RowRange,
  stage: string,
): Promise<StagedParts> {
  const staged: StagedParts = { parts: [], rejects: [] };
  const copy = new CopyRows(context.client, stage, columnsOf(task));
  for await (const message of encode(context, task, range)) {
    if (message.kind === "rows") await copy.write(message.bytes);
    else if (message.kind === "part") {
      staged.parts.push(message.part);
      for (const row of message.rejects) staged.rejects.push(row);
    } else if (message.kind === "flood") {
      await copy.finish();
      throw new RejectFlood(task.name, [...staged.rejects, ...message.rejects]);
    }
  }
  await copy.finish();
  return staged;
}

/** Copies rows that were rejected and fit now into their table, in the caller's transaction. */
export async function copyRejected(context: LoadContext, task: TableTask, rowids: bigint[]): Promise<void> {
  const copy = new CopyRows(context.client, quoteIdentifier(task.name), columnsOf(task));
  for await (const message of encode(context, task, { rowids })) {
    if (message.kind === "rows") await copy.write(message.bytes);
  }
  await copy.finish();
}

async function* encode(
  context: LoadContext,
  task: TableTask,
  range: RowRange,
  columnstore?: ColumnstoreLayout,
) {
  const { reader, partRows, budget, signal } = context;
  const { read, seed } = task.planned;
  const mostRejects = Math.max(0, budget.left);
  const columns = encodedColumns(task);
  const job = {
    kind: "encode",
    read,
    columns,
    order: task.order,
    chunk: task.chunk,
    range,
    partRows,
    seed,
    mostRejects,
    columnstore,
    refused: task.refused,
  } as const;
  for await (const message of reader.run(job)) {
    signal?.throwIfAborted();
    if (message.kind === "part") budget.left -= message.rejects.length;
    yield message;
  }
}

/** What the encoder has to know of a table's columns. */
export function encodedColumns(task: Pick<TableTask, "resolved">): EncodedColumn[] {
  return task.resolved.columns.map(({ source, target, type, nullable, reading, emptyIsNull }) => {
    return { source, target, type, nullable, reading, emptyIsNull };
  });
}

function columnsOf(task: TableTask): string[] {
  return task.resolved.columns.map((column) => column.target);
}
