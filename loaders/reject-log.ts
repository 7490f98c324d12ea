import type pg from "pg";
import type { RejectedRow } from "./reject.ts";
import type { RowId } from "./source/row-id.ts";

/** One rejected value with its row, as `timelift rejects` shows it. */
export interface RejectLine {
  /** Target table. */
  table: string;
  sourceTable: string;
  rowid: string | null;
  key: string;
  column: string;
  value: string;
  reason: string;
  run: string;
  at: Date;
}

/** Values of one column that were rejected for one reason. */
export interface RejectGroup {
  table: string;
  column: string;
  /** SQLite class of the values. */
  class: string;
  reason: string;
  values: number;
}

/** Makes the table; harmless where it is there. */
export const createRejects = `
  CREATE TABLE IF NOT EXISTS timelift.reject (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workload text NOT NULL,
    table_name text NOT NULL,
    source_table text NOT NULL,
    rowid bigint,
    row_key text NOT NULL,
    column_name text NOT NULL,
    value text NOT NULL,
    reason text NOT NULL,
    run bigint NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now()
  );
  ALTER TABLE timelift.reject ADD COLUMN IF NOT EXISTS row_digest text;
  CREATE INDEX IF NOT EXISTS reject_table ON timelift.reject (workload, table_name, rowid)`;

const linesAStatement = 5000;
const lineColumns = `table_name AS table, source_table AS "sourceTable", rowid, row_key AS key,
  column_name AS column, value, reason, run, rejected_at AS at`;
const ofTable = "WHERE workload = $1 AND table_name = $2";

/**
 * The rejected rows of a workload, a line a value, in `timelift.reject` of the target. A line commits with the part
 * that its row belongs to.
 */
export class RejectLog {
  readonly #client: pg.ClientBase;
  readonly #workload: string;

  constructor(client: pg.ClientBase, workload: string) {
    this.#client = client;
    this.#workload = workload;
  }

  /** Adds rows that a run rejected. */
  async add(table: string, sourceTable: string, run: string, rows: RejectedRow[]): Promise<void> {
    const lines = rows.flatMap((row) => row.values.map((value) => ({ ...row, ...value })));
    for (let at = 0; at < lines.length; at += linesAStatement) {
      const some = lines.slice(at, at + linesAStatement);
      await this.#client.query(
        `INSERT INTO timelift.reject
           (workload, table_name, source_table, run, rowid, row_digest, row_key, column_name, value, reason)
         SELECT $1, $2, $3, $4, l.*
         FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) AS l`,
        [
          ...[this.#workload, table, sourceTable, run],
          some.map((line) => line.rowid?.toString() ?? null),
          some.map((line) => line.digest),
          ...(["key", "column", "value", "reason"] as const).map((name) => some.map((line) => line[name])),
        ],
      );
    }
  }

  /** The rejected rows of a table that can be found again by rowid. */
  async rows(table: string): Promise<Map<bigint, RejectedRow>> {
    const { rows: lines } = await this.#client.query<
      Record<"rowid" | "key" | "column" | "value" | "reason", string>
    >(
      `SELECT rowid, row_key AS key, column_name AS column, value, reason FROM timelift.reject
       ${ofTable} AND rowid IS NOT NULL ORDER BY rowid, id`,
      [this.#workload, table],
    );
    const rows = new Map<bigint, RejectedRow>();
    for (const { rowid, key, ...value } of lines) {
      const row = rows.get(BigInt(rowid)) ?? { rowid: BigInt(rowid), digest: null, key, values: [] };
      row.values.push(value);
      rows.set(BigInt(rowid), row);
    }
    return rows;
  }

  /** What the rejected rows of a table are known by. */
  async ids(table: string): Promise<RowId[]> {
    const { rows } = await this.#client.query<{ rowid: string | null; digest: string | null }>(
      `SELECT DISTINCT rowid, row_digest AS digest FROM timelift.reject ${ofTable}`,
      [this.#workload, table],
    );
    return rows.flatMap(({ rowid, digest }) => (rowid === null ? (digest ?? []) : Number(rowid)));
  }

  /** Forgets rows, or all of a table. */
  async forget(table: string, rowids?: bigint[]): Promise<void> {
    const some = rowids === undefined ? [] : [rowids.map(String)];
    await this.#client.query(
      `DELETE FROM timelift.reject ${ofTable}${rowids === undefined ? "" : " AND rowid = ANY($3::bigint[])"}`,
      [this.#workload, table, ...some],
    );
  }

  /** Lines in the order of their tables and rows, newest run first. */
  async lines(tables: string[], most: number): Promise<RejectLine[]> {
    const { rows } = await this.#client.query<RejectLine>(
      `SELECT ${lineColumns} FROM timelift.reject WHERE workload = $1 AND table_name = ANY($2)
       ORDER BY table_name, run DESC, rowid NULLS LAST, id LIMIT $3`,
      [this.#workload, tables, most],
    );
    return rows;
  }

  /** Every line of some tables, in the order in which they were written. */
  async *all(tables: string[]): AsyncGenerator<RejectLine> {
    for (let after = "0"; ; ) {
      const { rows } = await this.#client.query<RejectLine & { id: string }>(
        `SELECT id, ${lineColumns} FROM timelift.reject
         WHERE workload = $1 AND table_name = ANY($2) AND id > $3 ORDER BY id LIMIT ${linesAStatement}`,
        [this.#workload, tables, after],
      );
      for (const { id, ...line } of rows) {
        after = id;
        yield line;
      }
      if (rows.length < linesAStatement) return;
    }
  }

  /** What was rejected and why, most frequent first. */
  async groups(tables: string[]): Promise<RejectGroup[]> {
    const { rows } = await this.#client.query<RejectGroup & { values: string }>(
      `SELECT table_name AS table, column_name AS column, split_part(value, ' ', 1) AS class, reason,
              count(*) AS values
       FROM timelift.reject WHERE workload = $1 AND table_name = ANY($2)
       GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, 1, 2, 3, 4`,
      [this.#workload, tables],
    );
    return rows.map((row) => ({ ...row, values: Number(row.values) }));
  }
}

/** The same of rows that are in no table: those of a load that was rolled back. */
export function groupRejects(table: string, rows: RejectedRow[]): RejectGroup[] {
  const groups = new Map<string, RejectGroup>();
  for (const { column, value, reason } of rows.flatMap((row) => row.values)) {
    const of = value.split(" ", 1)[0] ?? "";
    const name = JSON.stringify([column, of, reason]);
    const group = groups.get(name) ?? { table, column, class: of, reason, values: 0 };
    group.values += 1;
    groups.set(name, group);
  }
  return [...groups.values()].sort((a, b) => b.values - a.values);
}
