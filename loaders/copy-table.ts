import type pg from "pg";
import { CopyRows } from "./copy-rows.ts";
import { quoteIdentifier } from "./identifier.ts";
import type { Ledger } from "./ledger.ts";
import type { LoadEvent } from "./load-event.ts";
import type { Part } from "./load-result.ts";
import type { SourceReader } from "./source/source-reader.ts";
import type { RowRange } from "./source/table-reader.ts";
import type { TableTask } from "./table-task.ts";

/** What the writing of a table needs. */
export interface LoadContext {
  client: pg.ClientBase;
  reader: SourceReader;
  ledger: Ledger;
  /** Rows a part. */
  partRows: number;
  events: (event: LoadEvent) => void;
  signal?: AbortSignal;
}

/**
 * Copies a range straight into its table, part by part. Each part commits with its ledger row, unless `inTransaction`,
 * where the caller commits all of it. Returns the rows written.
 */
export async function copyTable(
  context: LoadContext,
  task: TableTask,
  range: RowRange,
  options: { anew: boolean; inTransaction: boolean },
): Promise<number> {
  const { client, ledger } = context;
  let copy: CopyRows | null = null;
  let rows = 0;
  let { anew } = options;
  const begin = async () => {
    if (!options.inTransaction) await client.query("BEGIN");
    if (anew) await ledger.forget(task.name);
    anew = false;
  };
  const commit = async () => {
    if (!options.inTransaction) await client.query("COMMIT");
  };
  for await (const message of encode(context, task, range)) {
    if (message.kind === "rows") {
      if (copy === null) {
        await begin();
        copy = new CopyRows(client, quoteIdentifier(task.name), columnsOf(task));
      }
      await copy.write(message.bytes);
    } else if (message.kind === "part" && copy !== null) {
      await copy.finish();
      copy = null;
      await ledger.add(task.name, task.planned.seed, message.part);
      await commit();
      rows += message.part.rows;
      context.events({ kind: "part", table: task.name, rows });
    }
  }
  if (anew) {
    await begin();
    await commit();
  }
  return rows;
}

/** Copies a range into a staging table and returns its parts, for the ledger. */
export async function stageRows(
  context: LoadContext,
  task: TableTask,
  range: RowRange,
  stage: string,
): Promise<Part[]> {
  const parts: Part[] = [];
  const copy = new CopyRows(context.client, stage, columnsOf(task));
  for await (const message of encode(context, task, range)) {
    if (message.kind === "rows") await copy.write(message.bytes);
    else if (message.kind === "part") parts.push(message.part);
  }
  await copy.finish();
  return parts;
}

async function* encode({ reader, partRows, signal }: LoadContext, task: TableTask, range: RowRange) {
  const { read, seed } = task.planned;
  const columns = task.resolved.columns.map(({ target, type, nullable }) => ({ target, type, nullable }));
  const job = { kind: "encode", read, columns, order: task.order, range, partRows, seed } as const;
  for await (const message of reader.run(job)) {
    signal?.throwIfAborted();
    yield message;
  }
}

function columnsOf(task: TableTask): string[] {
  return task.resolved.columns.map((column) => column.target);
}
