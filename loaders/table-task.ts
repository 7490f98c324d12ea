import type pg from "pg";
import { quoteIdentifier } from "./identifier.ts";
import type { LedgerTable } from "./ledger.ts";
import type { ResolvedTable } from "./resolve-table.ts";
import type { ColumnstoreLayout } from "./source/columnstore-rows.ts";
import type { RefusedRows } from "./source/refused-rows.ts";
import type { SourceReader } from "./source/source-reader.ts";
import type { PlannedRead } from "./source/table-read.ts";
import type { RowRange } from "./source/table-reader.ts";
import { lastWatermark } from "./source/watermark.ts";
import type { TargetTable } from "./target-table.ts";
import { TimeliftError } from "./timelift-error.ts";

/** One table on its way: where its rows come from and what is known of it. */
export interface TableTask {
  name: string;
  planned: PlannedRead;
  resolved: ResolvedTable;
  table: TargetTable;
  /** Positions of the columns that give the order of writing. */
  order: number[];
  /** Position of a hypertable's time column, and the span of its chunks in microseconds: rows go chunk by chunk. */
  chunk?: { time: number; span: number };
  /** How rows are laid out that may go straight to the columnstore. */
  columnstore?: ColumnstoreLayout;
  /** Tables that its rows refer to, by the target's keys or by declared ones. */
  parents: Set<string>;
  /** Rows that the declared keys refuse. */
  refused?: RefusedRows;
}

/** What has to be done to a table. */
export type Action =
  | { kind: "none" }
  /** Write ranges that are not in the target yet. `anew`: the ledger's parts are void, the table was emptied. */
  | { kind: "append"; ranges: RowRange[]; rows: number; anew: boolean }
  /** Stage a range and bring the target in line with it; `full` when the range is the whole table. */
  | { kind: "merge"; range: RowRange; rows: number; full: boolean };

/**
 * Compares source, ledger and target, and says what to do. Nothing, where the table is known to be in line with the
 * source's fingerprint; with `force`, every row is compared.
 * @throws TimeliftError target-foreign-rows where rows are in the way that timelift did not load
 */
export async function decide(
  client: pg.ClientBase,
  reader: SourceReader,
  task: TableTask,
  ledger: LedgerTable | undefined,
  { fingerprint, force }: { fingerprint: string; force: boolean },
): Promise<Action> {
  const { read, seed } = task.planned;
  const occupied = await hasRows(client, task.name);
  if (ledger === undefined || (ledger.rows > 0 && !occupied)) {
    const rows = await reader.count(read);
    if (rows === 0)
      return ledger === undefined ? { kind: "none" } : { kind: "append", ranges: [{}], rows, anew: true };
    if (occupied) throw foreignRows(task, "it holds rows, and timelift loaded none of them");
    return { kind: "append", ranges: [{}], rows, anew: ledger !== undefined };
  }
  if (force || ledger.definition !== seed) return wholeMerge(client, task, ledger, await reader.count(read));
  if (isInLine(ledger, task.planned, fingerprint)) return { kind: "none" };

  // What was written last says nothing about the rows before it while a first load is not complete.
  const unfinished = ledger.fingerprint === null && read.watermark?.kind === "updatedAt";
  const asked = unfinished ? { ...read, watermark: null } : read;
  const { held, beyond, rows, missing } = await reader.verify(asked, ledger.parts, seed);
  if (held.includes(false)) return wholeMerge(client, task, ledger, rows);
  if (beyond === 0) return { kind: "none" };
  if (asked.watermark?.kind !== "updatedAt") {
    return { kind: "append", ranges: missing, rows: beyond, anew: false };
  }
  const value = lastWatermark(ledger.parts);
  if (value === null || task.table.uniqueKeys.length === 0) return wholeMerge(client, task, ledger, rows);
  const range = { beyond: { column: asked.watermark.column, value, inclusive: true } };
  return { kind: "merge", range, rows: beyond, full: false };
}

/** Whether a table is known to be in line with this state of the source, so that no row has to be read. */
export function isInLine(
  ledger: LedgerTable | undefined,
  { seed }: PlannedRead,
  fingerprint: string,
): boolean {
  return ledger?.definition === seed && ledger.fingerprint === fingerprint;
}

/** Rows are deleted and updated only where every row of the target is known to come from the source. */
export async function wholeMerge(
  client: pg.ClientBase,
  task: TableTask,
  ledger: LedgerTable,
  rows: number,
): Promise<Action> {
  const there = await targetRows(client, task.name);
  if (there !== ledger.rows) {
    throw foreignRows(
      task,
      `rows of the source were changed or deleted, but the table holds ${there} rows where timelift loaded ${ledger.rows}: somebody else wrote there, and their rows must not be touched`,
    );
  }
  return { kind: "merge", range: {}, rows, full: true };
}

/** Rows of a target table, counted. */
export async function targetRows(client: pg.ClientBase, table: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${quoteIdentifier(table)}`);
  return Number(rows[0]?.count);
}

async function hasRows(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ any: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteIdentifier(table)}) AS any`,
  );
  return rows[0]?.any ?? false;
}

function foreignRows(task: TableTask, problem: string): TimeliftError {
  return new TimeliftError({
    code: "target-foreign-rows",
    subject: `target table ${task.name}`,
    problem: `${problem}.`,
    remedy: `Move those rows away, or empty the table (TRUNCATE ${quoteIdentifier(task.name)}) to have it loaded anew, or choose another database.`,
  });
}
