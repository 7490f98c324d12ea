/** What TimescaleDB says of continuous aggregates before their indexes; like `relationLines`. */
export const aggregateLines = `
  SELECT r.kind, r.name, line, place
  FROM relation r JOIN timescaledb_information.continuous_aggregates ON view_schema = schema AND view_name = relation
  LEFT JOIN relation below ON below.kind = 'continuous aggregate' AND below.storage_schema = hypertable_schema
    AND below.storage_name = hypertable_name,
  LATERAL (VALUES
    (1, format('on %s', coalesce('continuous aggregate ' || below.name,
      'table ' || CASE WHEN hypertable_schema = 'public' THEN '' ELSE quote_ident(hypertable_schema) || '.' END
        || quote_ident(hypertable_name)))),
    (2, CASE WHEN materialized_only THEN 'materialized only' ELSE 'real time' END),
    (3, btrim(view_definition, E' \\n;'))
  ) AS facts(place, line)`;

/**
 * What TimescaleDB 2.17 to 2.29 says of hypertables, those of continuous aggregates too; like `relationLines`. On the
 * Apache edition the views are there and know neither columnstore nor policy.
 */
export const hypertableLines = [
  `SELECT kind, name, format('hypertable by %I, ', column_name) || CASE dimension_type
      WHEN 'Time' THEN format('chunks of %s', coalesce(time_interval::text, integer_interval::text))
      ELSE format('%s partitions', num_partitions) END
    || coalesce(', now by ' || nullif(integer_now_func, ''), '') AS line, dimension_number AS place
  FROM relation JOIN timescaledb_information.dimensions
    ON hypertable_schema = storage_schema AND hypertable_name = storage_name`,

  `SELECT kind, name, concat_ws(' ', 'columnstore',
      nullif(concat_ws(', ', 'segment by ' || segment_by, 'order by ' || order_by), '')) AS line
  FROM relation
  JOIN (SELECT hypertable_schema AS schema, hypertable_name AS hypertable
      FROM timescaledb_information.hypertables WHERE compression_enabled
    UNION ALL SELECT materialization_hypertable_schema, materialization_hypertable_name
      FROM timescaledb_information.continuous_aggregates WHERE compression_enabled) AS enabled
    ON enabled.schema = storage_schema AND hypertable = storage_name,
  LATERAL (SELECT
      string_agg(quote_ident(attname), ', ' ORDER BY segmentby_column_index)
        FILTER (WHERE segmentby_column_index IS NOT NULL) AS segment_by,
      string_agg(quote_ident(attname) || CASE WHEN orderby_asc THEN '' ELSE ' DESC' END
          || CASE WHEN orderby_asc = orderby_nullsfirst
               THEN CASE WHEN orderby_asc THEN ' NULLS FIRST' ELSE ' NULLS LAST' END ELSE '' END,
        ', ' ORDER BY orderby_column_index) FILTER (WHERE orderby_column_index IS NOT NULL) AS order_by
    FROM timescaledb_information.compression_settings
    WHERE hypertable_schema = storage_schema AND hypertable_name = storage_name) AS settings`,

  // Up to 2.19 the job of an aggregate names the hypertable behind it, later the aggregate.
  `SELECT kind, name, what || ' every ' || schedule_interval || ' ' || settings AS line
  FROM relation JOIN timescaledb_information.jobs ON job_id >= 1000
    AND (hypertable_schema, hypertable_name) IN ((schema, relation), (storage_schema, storage_name)),
  LATERAL (SELECT CASE proc_name WHEN 'policy_compression' THEN 'columnstore policy'
      WHEN 'policy_refresh_continuous_aggregate' THEN 'refresh policy' WHEN 'policy_retention' THEN 'retention policy'
      WHEN 'policy_reorder' THEN 'reorder policy' ELSE format('job %I.%I', proc_schema, proc_name) END AS what,
    concat_ws(' ', config - '{hypertable_id,mat_hypertable_id}'::text[], CASE WHEN NOT scheduled THEN '(paused)' END)
      AS settings) AS shown`,
];

/** Jobs of the user that belong to no table; the numbers below 1000 are TimescaleDB's own. */
export const jobLines = `
  SELECT 'job' AS kind, format('%I.%I', proc_schema, proc_name) AS name, concat_ws(' ', 'every ' || schedule_interval,
    config, CASE WHEN NOT scheduled THEN '(paused)' END) AS line
  FROM timescaledb_information.jobs WHERE job_id >= 1000 AND hypertable_name IS NULL`;
