import type pg from "pg";
import { type LockHolder, lockHolder } from "./advisory-lock.ts";
import { loading } from "./load-lock.ts";

/** What the ledger of a target tells of a workload's loads, running or not. */
export interface LoadStatus {
  workload: string;
  /**
   * `none`: nothing was ever loaded. `comparing`: a load has begun, and writes nothing yet. `running`: it writes.
   * `interrupted`: the last run did not come to its end, and nobody goes on with it. `complete`: it did.
   */
  state: "none" | "comparing" | "running" | "interrupted" | "complete";
  /** Who loads into this database now. */
  holder: LockHolder | null;
  /** The last run that wrote anything. */
  run: LoadRun | null;
  tables: TableStatus[];
  /** Rows of all tables that are committed. */
  rows: number;
}

/** One run, as the ledger remembers it. Times are ISO 8601, UTC. */
export interface LoadRun {
  id: string;
  startedAt: string;
  finishedAt: string | null;
  /** Rows in the parts that it committed. */
  rows: number;
  /** How long it took, or takes, until its last part (until now while it runs), in seconds. */
  seconds: number;
  rowsPerSecond: number;
}

export interface TableStatus {
  table: string;
  /** Rows and parts that are committed, from every run. */
  rows: number;
  parts: number;
  /** Of those, rows of the last run. */
  runRows: number;
  /** When its last part was committed. */
  lastAt: string;
}

/**
 * Reads how far a load is, or was, from the target alone; takes no lock and writes nothing.
 * @param client a session that may read the schema `timelift`
 */
export async function readLoadStatus(client: pg.ClientBase, workload: string): Promise<LoadStatus> {
  const holder = (await lockHolder(client, loading)) ?? null;
  const { rows } = await client.query("SELECT to_regclass('timelift.load_part') IS NOT NULL AS there");
  if (!rows[0]?.there) {
    return { workload, state: holder ? "comparing" : "none", holder, run: null, tables: [], rows: 0 };
  }
  const run = await lastRun(client, workload, holder !== null);
  const tables = await tablesOf(client, workload, run?.id ?? "0");
  const total = tables.reduce((sum, table) => sum + table.rows, 0);
  return { workload, state: stateOf(run, holder), holder, run, tables, rows: total };
}

function stateOf(run: LoadRun | null, holder: LockHolder | null): LoadStatus["state"] {
  const isOpen = run !== null && run.finishedAt === null;
  if (holder !== null) return isOpen && startedBefore(holder, run) ? "running" : "comparing";
  if (run === null) return "none";
  return isOpen ? "interrupted" : "complete";
}

/** A holder that connected after the last run began is another load, which has not begun to write. */
function startedBefore(holder: LockHolder, run: LoadRun): boolean {
  return holder.since === null || holder.since.replace(" ", "T") <= run.startedAt;
}

async function lastRun(client: pg.ClientBase, workload: string, goesOn: boolean): Promise<LoadRun | null> {
  const { rows } = await client.query<{
    id: string;
    started: string;
    finished: string | null;
    rows: string;
    seconds: string;
  }>(
    `SELECT id, ${iso("started_at")} AS started, ${iso("finished_at")} AS finished, coalesce(p.rows, 0) AS rows,
            extract(epoch FROM coalesce(finished_at, CASE WHEN $2::boolean THEN clock_timestamp() ELSE p.last END,
                                        started_at) - started_at) AS seconds
     FROM timelift.load_run r
     LEFT JOIN LATERAL (SELECT sum(rows) AS rows, max(loaded_at) AS last FROM timelift.load_part WHERE run = r.id) p ON true
     WHERE workload = $1 ORDER BY id DESC LIMIT 1`,
    [workload, goesOn],
  );
  const run = rows[0];
  if (run === undefined) return null;
  const written = Number(run.rows);
  const seconds = Math.max(0, Number(run.seconds));
  return {
    id: run.id,
    startedAt: run.started,
    finishedAt: run.finished,
    rows: written,
    seconds,
    rowsPerSecond: seconds > 0 ? Math.round(written / seconds) : 0,
  };
}

async function tablesOf(client: pg.ClientBase, workload: string, run: string): Promise<TableStatus[]> {
  const { rows } = await client.query<Record<"table" | "rows" | "parts" | "runRows" | "lastAt", string>>(
    `SELECT table_name AS table, sum(rows) AS rows, count(*) AS parts,
            coalesce(sum(rows) FILTER (WHERE run = $2), 0) AS "runRows", ${iso("max(loaded_at)")} AS "lastAt"
     FROM timelift.load_part WHERE workload = $1 GROUP BY table_name ORDER BY min(id)`,
    [workload, run],
  );
  return rows.map(({ table, lastAt, ...counts }) => ({
    table,
    rows: Number(counts.rows),
    parts: Number(counts.parts),
    runRows: Number(counts.runRows),
    lastAt,
  }));
}

function iso(moment: string): string {
  return `to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}
