import type pg from "pg";

/** A foreign key into a hypertable, which triggers keep. */
export interface KeptReference {
  /** The table that refers. */
  table: string;
  parent: string;
  /** Whether a delete in the parent takes rows along. */
  cascades: boolean;
}

/** The references that triggers keep in the target, as the migrations recorded them there; PostgreSQL knows none of them. */
export async function readKeptReferences(client: pg.ClientBase): Promise<KeptReference[]> {
  const record = await client.query("SELECT WHERE to_regclass('timelift.realised') IS NOT NULL");
  if (record.rowCount === 0) return [];
  const { rows } = await client.query<KeptReference>(
    `SELECT declaration ->> 'table' AS "table", declaration ->> 'parent' AS parent,
       declaration ->> 'onDelete' = 'cascade' AS cascades
     FROM timelift.realised WHERE kind = 'reference'`,
  );
  return rows;
}
