import type pg from "pg";
import type { SourceRecord } from "./source-record.ts";

/** Makes the table that keeps a workload's source record; part of the load's ledger. */
export const createRecordedSource = `
  CREATE TABLE IF NOT EXISTS timelift.source_record (
    workload text PRIMARY KEY,
    fingerprint text NOT NULL,
    source_schema json NOT NULL,
    spellings json NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
  );`;

/** Keeps the record of the source that was loaded, in place of an earlier one; call it in the load's transaction. */
export async function writeSourceRecord(
  client: pg.ClientBase,
  workload: string,
  { fingerprint, schema, spellings }: SourceRecord,
): Promise<void> {
  await client.query(
    `INSERT INTO timelift.source_record (workload, fingerprint, source_schema, spellings) VALUES ($1, $2, $3, $4)
     ON CONFLICT (workload) DO UPDATE
       SET (fingerprint, source_schema, spellings, recorded_at) =
           (excluded.fingerprint, excluded.source_schema, excluded.spellings, now())`,
    [workload, fingerprint, JSON.stringify(schema), JSON.stringify(spellings)],
  );
}

/** Whether the target has the table; one that an earlier version loaded has not. */
export async function hasSourceRecords(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('timelift.source_record') IS NOT NULL AS there",
  );
  return rows[0]?.there === true;
}

/** The record of a workload's source, from a target that has the table; undefined where no load left one. */
export async function readSourceRecord(
  client: pg.ClientBase,
  workload: string,
): Promise<SourceRecord | undefined> {
  const { rows } = await client.query<SourceRecord>(
    "SELECT fingerprint, source_schema AS schema, spellings FROM timelift.source_record WHERE workload = $1",
    [workload],
  );
  return rows[0];
}
