import type pg from "pg";
import { quoteIdentifier } from "./identifier.ts";
import type { ResolvedTable } from "./resolve-table.ts";

/** Sets the sequence of every loaded identity or serial column beyond the greatest value, so that applications can insert. */
export async function advanceSequences(client: pg.ClientBase, resolved: ResolvedTable): Promise<void> {
  const table = quoteIdentifier(resolved.target);
  for (const column of resolved.columns) {
    if (column.type.kind !== "int2" && column.type.kind !== "int4" && column.type.kind !== "int8") continue;
    const { rows } = await client.query<{ sequence: string | null }>(
      "SELECT pg_get_serial_sequence($1, $2) AS sequence",
      [table, column.target],
    );
    const sequence = rows[0]?.sequence;
    if (!sequence) continue;
    // Only ever forward: the application may have drawn numbers already.
    await client.query(
      `SELECT setval($1::regclass, m.greatest)
       FROM (SELECT max(${quoteIdentifier(column.target)})::bigint AS greatest FROM ${table}) m, ${sequence} s
       WHERE m.greatest > 0 AND (m.greatest > s.last_value OR (m.greatest = s.last_value AND NOT s.is_called))`,
      [sequence],
    );
  }
}
