/** The schemas that a dump covers: the application's, and the one in which timelift keeps guards. */
export const dumpedSchemas = ["public", "timelift_guard"];

const schemaList = dumpedSchemas.map((name) => `'${name}'`).join(", ");

/** SQL: an object lies in a dumped schema, and no extension brought it. `catalog` is the one that holds it. */
export function inScope(catalog: "pg_class" | "pg_proc" | "pg_type", oid: string, namespace: string): string {
  return `${namespace} IN (SELECT oid FROM pg_namespace WHERE nspname IN (${schemaList}))
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = '${catalog}'::regclass AND objid = ${oid} AND deptype = 'e')`;
}

/**
 * SQL that finds every table, continuous aggregate, materialized view and view. `object` is what carries the name,
 * `storage` what holds the rows, which for a continuous aggregate is a hypertable of TimescaleDB's own.
 */
export function relationsQuery(hasTimescale: boolean): string {
  return `WITH aggregate AS (${hasTimescale ? aggregates : noAggregates})
  SELECT c.oid AS object, n.nspname AS schema, c.relname AS relation, c.oid::regclass::text AS name,
    CASE WHEN a.object IS NOT NULL THEN 'continuous aggregate' WHEN c.relkind = 'm' THEN 'materialized view'
      WHEN c.relkind = 'v' THEN 'view' ELSE 'table' END AS kind,
    coalesce(a.storage, c.oid) AS storage, coalesce(a.storage_schema, n.nspname) AS storage_schema,
    coalesce(a.storage_name, c.relname) AS storage_name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN aggregate a ON a.object = c.oid
  WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v') AND ${inScope("pg_class", "c.oid", "c.relnamespace")}`;
}

/** SQL of a WITH clause that gives the answer of `relationsQuery`, as JSON in $1, to a query on it as `relation`. */
export const withRelations = `WITH relation AS (SELECT * FROM jsonb_to_recordset($1) AS found (
  object oid, schema name, relation name, name text, kind text, storage oid, storage_schema name, storage_name name))`;

// By name, not by cast to regclass: that would ask for the right to use every schema with an aggregate.
const aggregates = `
  SELECT v.oid AS object, s.oid AS storage,
    materialization_hypertable_schema AS storage_schema, materialization_hypertable_name AS storage_name
  FROM timescaledb_information.continuous_aggregates
  JOIN pg_namespace vn ON vn.nspname = view_schema
  JOIN pg_class v ON v.relnamespace = vn.oid AND v.relname = view_name
  JOIN pg_namespace sn ON sn.nspname = materialization_hypertable_schema
  JOIN pg_class s ON s.relnamespace = sn.oid AND s.relname = materialization_hypertable_name`;

const noAggregates = `
  SELECT NULL::oid AS object, NULL::oid AS storage, NULL::name AS storage_schema, NULL::name AS storage_name
  WHERE false`;
