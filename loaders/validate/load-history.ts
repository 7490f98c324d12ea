import pg from "pg";
import { type Connection, connect } from "../connection.ts";
import type { LoadHistory, TableLoad } from "../validation-report.ts";

/** More points than that show nothing more in a plot. */
const mostPoints = 60;

/** Each part of the run that brought most of a table's rows. */
const parts = `
  WITH run_rows AS (
    SELECT DISTINCT ON (table_name) table_name, run
    FROM timelift.load_part WHERE workload = $1
    GROUP BY table_name, run ORDER BY table_name, sum(rows) DESC, run DESC)
  SELECT part.table_name AS "table", part.rows::float8 AS rows,
    greatest(0, extract(epoch FROM part.loaded_at - run.started_at) * 1000)::float8 AS ms
  FROM timelift.load_part AS part
  JOIN run_rows USING (table_name, run)
  JOIN timelift.load_run AS run ON run.id = part.run
  WHERE part.workload = $1
  ORDER BY part.table_name, part.loaded_at, part.id`;

/** Reads from the ledger how fast each table of a workload came in. What cannot be read is said, never an error. */
export async function readLoadHistory(target: Connection, workload: string): Promise<LoadHistory> {
  try {
    const client = await connect(target, "validate: ledger");
    try {
      const { rows } = await client.query<{ table: string; rows: number; ms: number }>(parts, [workload]);
      return historyOf(rows);
    } finally {
      await client.end();
    }
  } catch (error) {
    const denied = error instanceof pg.DatabaseError && error.code === "42501";
    const absent = error instanceof pg.DatabaseError && ["42P01", "3F000"].includes(error.code ?? "");
    const why = denied
      ? `role ${target.user} may not read the load's ledger`
      : absent
        ? "the target holds no ledger of a load"
        : `the load's ledger could not be read: ${(error as Error).message}`;
    return { tables: [], missing: why };
  }
}

function historyOf(rows: { table: string; rows: number; ms: number }[]): LoadHistory {
  const tables = new Map<string, TableLoad>();
  for (const { table, ...point } of rows) {
    const known = tables.get(table) ?? { table, points: [] };
    known.points.push(point);
    tables.set(table, known);
  }
  const loads = [...tables.values()].map((load) => ({ ...load, points: thinned(load.points) }));
  return loads.length > 0
    ? { tables: loads }
    : { tables: loads, missing: "the ledger holds no part of this workload" };
}

/** The same rows in fewer points: neighbours become one, done when the last of them was. */
function thinned(points: TableLoad["points"]): TableLoad["points"] {
  const size = Math.ceil(points.length / mostPoints);
  if (size <= 1) return points.map(({ ms, rows }) => ({ ms: Math.round(ms * 10) / 10, rows }));
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, group) =>
    points.slice(group * size, (group + 1) * size),
  );
  return groups.map((group) => ({
    ms: Math.round(group.at(-1)?.ms ?? 0),
    rows: group.reduce((sum, { rows }) => sum + rows, 0),
  }));
}
