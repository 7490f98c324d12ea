import type pg from "pg";
import type { Part } from "./load-result.ts";
import { TimeliftError } from "./timelift-error.ts";

/** What is known of a table that timelift loaded. */
export interface LedgerTable {
  /** In the order of their ranges. */
  parts: Part[];
  /** Rows that timelift put there. */
  rows: number;
  /** Digest seed of the loader entry that loaded it. */
  definition: string;
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
  CREATE INDEX IF NOT EXISTS load_part_table ON timelift.load_part (workload, table_name)`;

/**
 * What timelift loaded into this database, part by part, kept there: a part's row commits with the part's rows.
 * Lives in the schema `timelift`.
 */
export class Ledger {
  readonly #client: pg.ClientBase;
  readonly #workload: string;
  #run = "";

  private constructor(client: pg.ClientBase, workload: string) {
    this.#client = client;
    this.#workload = workload;
  }

  /** Opens the ledger of a workload and makes its tables when they are missing. */
  static async open(client: pg.ClientBase, workload: string): Promise<Ledger> {
    const { rows } = await client.query<{ schema: boolean; tables: boolean }>(
      "SELECT to_regnamespace('timelift') IS NOT NULL AS schema, to_regclass('timelift.load_part') IS NOT NULL AS tables",
    );
    try {
      if (!rows[0]?.schema) await client.query("CREATE SCHEMA timelift");
      if (!rows[0]?.tables) await client.query(`BEGIN; ${create}; COMMIT`);
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
    return new Ledger(client, workload);
  }

  /** Table -> what was loaded, without making anything where there is no ledger yet. */
  static async read(client: pg.ClientBase, workload: string): Promise<Map<string, LedgerTable>> {
    const { rows } = await client.query("SELECT to_regclass('timelift.load_part') IS NOT NULL AS there");
    return rows[0]?.there ? new Ledger(client, workload).tables() : new Map();
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
      digest: string;
    }>(
      `SELECT table_name, definition, lo, hi, up_to, rows, digest FROM timelift.load_part
       WHERE workload = $1 ORDER BY table_name, lo NULLS FIRST, id`,
      [this.#workload],
    );
    const tables = new Map<string, LedgerTable>();
    for (const row of rows) {
      const table = tables.get(row.table_name) ?? { parts: [], rows: 0, definition: row.definition };
      const part: Part = {
        lo: toNumber(row.lo),
        hi: toNumber(row.hi),
        rows: Number(row.rows),
        digest: row.digest,
      };
      table.parts.push(row.up_to === null ? part : { ...part, upTo: row.up_to });
      table.rows += part.rows;
      tables.set(row.table_name, table);
    }
    return tables;
  }

  /** Notes that a load of this state of the source begins. */
  async begin(fingerprint: string): Promise<void> {
    const { rows } = await this.#client.query<{ id: string }>(
      "INSERT INTO timelift.load_run (workload, fingerprint) VALUES ($1, $2) RETURNING id",
      [this.#workload, fingerprint],
    );
    this.#run = rows[0]?.id ?? "";
  }

  /** Notes that the load is complete. */
  async finish(): Promise<void> {
    await this.#client.query("UPDATE timelift.load_run SET finished_at = now() WHERE id = $1", [this.#run]);
  }

  /** Adds a part; call it in the transaction that writes the part's rows. */
  async add(table: string, definition: string, part: Part): Promise<void> {
    await this.#client.query(
      `INSERT INTO timelift.load_part (workload, table_name, definition, lo, hi, up_to, rows, digest, run, loaded_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp())`,
      [
        this.#workload,
        table,
        definition,
        part.lo,
        part.hi,
        part.upTo ?? null,
        part.rows,
        part.digest,
        this.#run,
      ],
    );
  }

  /** Forgets a table's parts; call it in the transaction that replaces the rows. */
  async forget(table: string): Promise<void> {
    await this.#client.query("DELETE FROM timelift.load_part WHERE workload = $1 AND table_name = $2", [
      this.#workload,
      table,
    ]);
  }
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
