import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { literal } from "../literal.ts";
import type { ContinuousAggregate } from "./continuous-aggregate.ts";
import type { ObjectCheck } from "./object.ts";

/**
 * Whether an aggregate holds what its query gives, row by row. Sums of doubles depend on their order in the last digits:
 * numbers agree within 1e-9 of their size.
 * @param root the hypertable under it, where it keeps what it has seen of dropped rows: once there were any, what is older
 * than the first whole bucket is not compared
 */
export function aggregateRowsCheck(
  { name, query, bucket, groupBy }: ContinuousAggregate,
  root?: string,
): ObjectCheck {
  const keys = [...groupBy, bucket].map(identifier).join(", ");
  const since =
    root === undefined
      ? ""
      : `WHERE NOT EXISTS (SELECT FROM timelift.retained WHERE table_name = ${literal(root)})
    OR bucket > (SELECT min(${identifier(bucket)}) FROM (${query}) AS first)`;
  return {
    about: "rows",
    expected: "what its query gives",
    sql: `WITH both_sides AS (
  SELECT 1 AS side, ${identifier(bucket)} AS bucket, jsonb_build_array(${keys}) AS key, to_jsonb(r) AS row FROM (${query}) AS r
  UNION ALL
  SELECT 2, ${identifier(bucket)}, jsonb_build_array(${keys}), to_jsonb(r) FROM ${identifier(name)} AS r
), pairs AS (
  SELECT key, count(*) FILTER (WHERE side = 1) AS wanted, count(*) FILTER (WHERE side = 2) AS found,
    (array_agg(row) FILTER (WHERE side = 1))[1] AS a, (array_agg(row) FILTER (WHERE side = 2))[1] AS b
  FROM both_sides ${since} GROUP BY key
), differing AS (
  SELECT key FROM pairs
  WHERE wanted <> 1 OR found <> 1 OR a IS DISTINCT FROM b AND EXISTS (
    SELECT FROM jsonb_each(a) AS x JOIN jsonb_each(b) AS y USING (key)
    WHERE x.value IS DISTINCT FROM y.value
      AND CASE WHEN jsonb_typeof(x.value) = 'number' AND jsonb_typeof(y.value) = 'number'
        THEN abs((x.value #>> '{}')::numeric - (y.value #>> '{}')::numeric)
          > 1e-9 * greatest(abs((x.value #>> '{}')::numeric), abs((y.value #>> '{}')::numeric))
        ELSE true END)
)
SELECT NOT EXISTS (SELECT FROM differing) AS pass,
  to_char((SELECT coalesce(sum(found), 0) FROM pairs), 'FM999,999,999,990') || ' rows'
    || coalesce((SELECT '; ' || count(*) || ' differ, such as ' || min(key::text) FROM differing HAVING count(*) > 0), ', the same')
    AS actual`,
  };
}
