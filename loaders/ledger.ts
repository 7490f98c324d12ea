import type pg from "pg";
import type { Part } from "./load-result.ts";
import { letMonitorRead, monitorRole } from "./monitor-role.ts";
import type { RejectedRow } from "./reject.ts";
import { createRejects, RejectLog } from "./reject-log.ts";
import { createRecordedSource, writeSourceRecord } from "./reverse/recorded-source.ts";
import type { SourceRecord } from "./reverse/source-record.ts";
import { TimeliftError } from "./timelift-error.ts";
import { createValidation } from "./validation-record.ts";

/** What is known of a table that timelift loaded. */
export interface LedgerTable {
  /** In the order of their ranges. */
  parts: Part[];
  /** Rows that timelift put there. */
  rows: number;
  /** Rows that it read and rejected. */
  rejected: number;
  /** Digest seed of the loader entry that loaded it. */
  definition: string;
  /** The source's state that the table is known to be in line with; null while a load is not complete. */
  fingerprint: string | null;
}

const create = `
  CREATE TABLE IF NOT EXISTS timelift.load_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workload text NOT NULL,
    fingerprint text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
  );
  CREATE TABLE IF NOT EXISTS timelift.load_part (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workload text NOT NULL,
    table_name text NOT NULL,
    definition text NOT NULL,
    lo bigint,
    hi bigint,
    up_to text,
    rows bigint NOT NULL,
    digest text NOT NULL,
    run bigint NOT NULL REFERENCES timelift.load_run,
    loaded_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS timelift.load_state (
    workload text NOT NULL,
    table_name text NOT NULL,
    fingerprint text NOT NULL,
    PRIMARY KEY (workload, table_name)
  );
  CREATE INDEX IF NOT EXISTS load_part_table ON timelift.load_part (workload, table_name);
  ALTER TABLE timelift.load_part ADD COLUMN IF NOT EXISTS rejected bigint NOT NULL DEFAULT 0;
  ${createRecordedSource}
  ${createRejects};
  ${createValidation};
  ${letMonitorRead(["load_run", "load_part", "validation"])}`;

/**
 * Whether the ledger is there, whether an earlier version made it, and whether all is there that belongs to it without
 * being read by a load.
 */
const inspect = `
  SELECT to_regnamespace('timelift') IS NOT NULL AS schema, to_regclass('timelift.load_part') IS NOT NULL AS tables,
         to_regclass('timelift.reject') IS NOT NULL AND to_regclass('timelift.load_state') IS NOT NULL AND EXISTS (
           SELECT FROM pg_attribute WHERE attrelid = to_regclass('timelift.load_part') AND attname = 'rejected')
           AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('timelift.reject') AND attname = 'row_digest')
           AS current,
         to_regclass('timelift.source_record') IS NOT NULL AND to_regclass('timelift.validation') IS NOT NULL
           AND coalesce((
             SELECT has_table_privilege(oid, to_regclass('timelift.validation')::oid, 'SELECT')
             FROM pg_roles WHERE rolname = '${monitorRole}'), true) AS furnished`;

interface Found {
  schema: boolean;
  tables: boolean;
  current: boolean;
  furnished: boolean;
}

/**
 * What timelift loaded into this database, part by part, kept there: a part's row commits with the part's rows.
 * Lives in the schema `timelift`.
 */
export class Ledger {
  readonly #client: pg.ClientBase;
  readonly #workload: string;
  /** The rows that were rejected. */
  readonly rejects: RejectLog;
  /** False for a ledger of an earlier version that was opened to be read. */
  readonly #current: boolean;
  #run = "";

  private constructor(client: pg.ClientBase, workload: string, current: boolean) {
    this.#client = client;
    this.#workload = workload;
    this.rejects = new RejectLog(client, workload);
    this.#current = current;
  }

  /** Opens the ledger of a workload; makes its tables when they are missing, and what later versions added. */
  static async open(client: pg.ClientBase, workload: string): Promise<Ledger> {
    const { rows } = await client.query<Found>(inspect);
    try {
      if (!rows[0]?.schema) await client.query("CREATE SCHEMA timelift");
      if (!rows[0]?.current || !rows[0].furnished) await client.query(`BEGIN; ${create}; COMMIT`);
    } catch (error) {
      if ((error as { code?: string }).code !== "42501") throw error;
      throw new TimeliftError({
        code: "ledger-permission",
        subject: "schema timelift in the target",
        problem: `the loading role may not keep its ledger there: ${(error as Error).message}.`,
        remedy:
          "As the database's owner: CREATE SCHEMA IF NOT EXISTS timelift; GRANT USAGE, CREATE ON SCHEMA timelift TO <role>;",
        cause: error,
      });
    }
    return new Ledger(client, workload, true);
  }

  /** Table -> what was loaded, without making anything where there is no ledger yet. */
  static async read(client: pg.ClientBase, workload: string): Promise<Map<string, LedgerTable>> {
    const [found] = (await client.query<Found>(inspect)).rows;
    return found?.tables ? new Ledger(client, workload, found.current).tables() : new Map();
  }

  /** Table -> what was loaded. */
  async tables(): Promise<Map<string, LedgerTable>> {
    const { rows } = await this.#client.query<{
      table_name: string;
      definition: string;
      lo: string | null;
      hi: string | null;
      up_to: string | null;
      rows: string;
      rejected: string;
      digest: string;
      fingerprint: string | null;
    }>(
      `SELECT table_name, definition, lo, hi, up_to, rows, digest,
              ${this.#current ? "rejected, (SELECT fingerprint FROM timelift.load_state s WHERE s.workload = $1 AND s.table_name = p.table_name)" : "0 AS rejected, NULL AS fingerprint"}
       FROM timelift.load_part p WHERE workload = $1 ORDER BY table_name, lo NULLS FIRST, id`,
      [this.#workload],
    );
    const tables = new Map<string, LedgerTable>();
    for (const row of rows) {
      const table = tables.get(row.table_name) ?? {
        ...{ parts: [], rows: 0, rejected: 0, definition: row.definition, fingerprint: row.fingerprint },
      };
      const part: Part = {
        lo: toNumber(row.lo),
        hi: toNumber(row.hi),
        rows: Number(row.rows),
        digest: row.digest,
      };
      if (row.up_to !== null) part.upTo = row.up_to;
      const rejected = Number(row.rejected);
      if (rejected > 0) part.rejected = rejected;
      table.parts.push(part);
      table.rows += part.rows;
      table.rejected += rejected;
      tables.set(row.table_name, table);
    }
    return tables;
  }

  /** The same ledger, and the same run, over another connection. */
  over(client: pg.ClientBase): Ledger {
    const ledger = new Ledger(client, this.#workload, this.#current);
    ledger.#run = this.#run;
    return ledger;
  }

  /** Notes that a load of this state of the source begins, which will write to these tables. */
  async begin(fingerprint: string, tables: string[]): Promise<void> {
    const { rows } = await this.#client.query<{ id: string }>(
      `WITH unsure AS (DELETE FROM timelift.load_state WHERE workload = $1 AND table_name = ANY ($3))
       INSERT INTO timelift.load_run (workload, fingerprint) VALUES ($1, $2) RETURNING id`,
      [this.#workload, fingerprint, tables],
    );
    this.#run = rows[0]?.id ?? "";
  }

  /**
   * Notes which state of the source tables are in line with, and so that the run which wrote them is complete: this one,
   * or an earlier one that was killed when nothing but this was left to do. `record` is what is known of that state.
   */
  async agree(fingerprint: string, tables: string[], record: SourceRecord): Promise<void> {
    await this.#client.query("BEGIN");
    await writeSourceRecord(this.#client, this.#workload, record);
    await this.#client.query(
      `INSERT INTO timelift.load_state (workload, table_name, fingerprint)
       SELECT $1, name, $2 FROM unnest($3::text[]) AS t(name)
       ON CONFLICT (workload, table_name) DO UPDATE SET fingerprint = excluded.fingerprint`,
      [this.#workload, fingerprint, tables],
    );
    await this.#client.query(
      `UPDATE timelift.load_run SET finished_at = now()
       WHERE id = (SELECT max(id) FROM timelift.load_run WHERE workload = $1) AND finished_at IS NULL
         AND (id = $2 OR NOT EXISTS (
           SELECT table_name FROM timelift.load_part WHERE workload = $1
           EXCEPT SELECT table_name FROM timelift.load_state WHERE workload = $1))`,
      [this.#workload, this.#run || null],
    );
    await this.#client.query("COMMIT");
  }

  /** Adds a part; call it in the transaction that writes the part's rows. */
  async add(table: string, definition: string, part: Part): Promise<void> {
    await this.#client.query(
      `INSERT INTO timelift.load_part (workload, table_name, definition, lo, hi, up_to, rows, rejected, digest, run, loaded_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp())`,
      [
        this.#workload,
        table,
        definition,
        part.lo,
        part.hi,
        part.upTo ?? null,
        part.rows,
        part.rejected ?? 0,
        part.digest,
        this.#run,
      ],
    );
  }

  /** Adds the rows that were rejected from a part; call it in the part's transaction. */
  async reject(table: string, sourceTable: string, rows: RejectedRow[]): Promise<void> {
    if (rows.length > 0) await this.rejects.add(table, sourceTable, this.#run, rows);
  }

  /**
   * Notes what became of rows that were rejected: loaded after all, or no longer in the source. Call it in the
   * transaction that loads them.
   */
  async settle(table: string, loaded: bigint[], gone: bigint[]): Promise<void> {
    const rowids = [...loaded, ...gone];
    await this.rejects.forget(table, rowids);
    await this.#client.query(
      `WITH settled AS (
         SELECT p.id, count(*) AS rows, count(*) FILTER (WHERE s.loaded) AS loaded
         FROM unnest($3::bigint[], $4::boolean[]) AS s(rowid, loaded)
         JOIN timelift.load_part p ON p.workload = $1 AND p.table_name = $2 AND s.rowid BETWEEN p.lo AND p.hi
         GROUP BY p.id)
       UPDATE timelift.load_part p SET rows = p.rows + s.loaded, rejected = p.rejected - s.rows
       FROM settled s WHERE p.id = s.id`,
      [this.#workload, table, rowids.map(String), rowids.map((_, i) => i < loaded.length)],
    );
  }

  /** Forgets a table's parts and rejects; call it in the transaction that replaces the rows. */
  async forget(table: string): Promise<void> {
    await this.#client.query("DELETE FROM timelift.load_part WHERE workload = $1 AND table_name = $2", [
      this.#workload,
      table,
    ]);
    await this.rejects.forget(table);
  }
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
