import { literal } from "../literal.ts";
import type { ObjectCheck } from "./object.ts";

/** Whether a hypertable or aggregate has a job of one of TimescaleDB's own policies. */
export function policyCheck(procedures: string[], table: string, expected: string): ObjectCheck {
  return {
    expected,
    sql: `SELECT count(*) = 1 AS pass,
  CASE count(*) WHEN 0 THEN 'no policy' ELSE string_agg('a policy, every ' || j.schedule_interval, '; ') END AS actual
FROM timescaledb_information.jobs AS j
WHERE j.proc_name IN (${procedures.map(literal).join(", ")}) AND j.scheduled
  AND (j.hypertable_schema, j.hypertable_name) IN (
    SELECT current_schema(), ${literal(table)}
    UNION ALL
    SELECT materialization_hypertable_schema, materialization_hypertable_name
    FROM timescaledb_information.continuous_aggregates
    WHERE view_schema = current_schema() AND view_name = ${literal(table)}
    UNION ALL
    SELECT view_schema, view_name
    FROM timescaledb_information.continuous_aggregates
    WHERE view_schema = current_schema() AND view_name = ${literal(table)})`,
  };
}
