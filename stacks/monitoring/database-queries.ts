import type { LoaderDefinition } from "../../loaders/define-loader.ts";
import { behindSql } from "../../loaders/freshness.ts";
import type { Edition } from "../../migrations/edition.ts";
import { literal } from "../../migrations/literal.ts";
import { counter, gauge, label, type MetricQuery } from "./query.ts";

/** What the database is asked about. */
export interface DatabaseQueriesArgs {
  edition: Edition;
  /** Name of the workload, and which of its tables are watched for how new they are. */
  workload: string;
  freshness: LoaderDefinition["freshness"];
  /** Table -> the day on which its source ended, YYYY-MM-DD. */
  expectedUntil: Record<string, string>;
}

/** The questions about TimescaleDB and the workload that no exporter asks by itself; a monitoring login may ask all. */
export function databaseQueries(args: DatabaseQueriesArgs): MetricQuery[] {
  return [
    server,
    replicas,
    statements,
    hypertables,
    ...(args.edition === "community" ? [compression] : []),
    jobs,
    aggregates,
    ...freshness(args),
  ];
}

const server: MetricQuery = {
  name: "timelift_server",
  cacheSeconds: 0,
  sql: `SELECT current_setting('max_connections')::int AS connections_limit,
  coalesce(extract(epoch FROM max(now() - xact_start) FILTER (WHERE backend_type = 'client backend')), 0)
    AS oldest_transaction_seconds
FROM pg_stat_activity WHERE pid <> pg_backend_pid()`,
  columns: {
    connections_limit: gauge("Connections that the server accepts"),
    oldest_transaction_seconds: gauge("Age of the oldest open transaction"),
  },
};

const replicas: MetricQuery = {
  name: "timelift_replica",
  cacheSeconds: 0,
  sql: `SELECT application_name AS replica, coalesce(extract(epoch FROM max(replay_lag)), 0) AS lag_seconds
FROM pg_stat_replication GROUP BY application_name`,
  columns: { replica: label("Name of the replica"), lag_seconds: gauge("How far it is behind") },
};

/** How many statements are told of, and how much of their text. */
const [statementLimit, textLimit] = [100, 120];

/**
 * The sum of squares makes the spread of any span computable: pg_stat_statements itself only knows the spread since its
 * statistics began. Statements of utilities are left out, for pg_stat_statements keeps their constants.
 */
const statements: MetricQuery = {
  name: "timelift_statement",
  cacheSeconds: 0,
  sql: `SELECT rolname AS user, queryid::text AS queryid,
  left(regexp_replace(max(query), '[[:space:]]+', ' ', 'g'), ${textLimit}) AS query,
  sum(calls) AS calls_total, sum(total_exec_time) / 1e3 AS seconds_total,
  sum(calls * (stddev_exec_time ^ 2 + mean_exec_time ^ 2)) / 1e6 AS seconds_squared_total
FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND NOT (rolname ~ '^timelift_monitor' OR rolsuper)
  AND query ~* '^[[:space:]]*(select|with|insert|update|delete|merge|values)[[:space:](]'
GROUP BY rolname, queryid ORDER BY sum(total_exec_time) DESC LIMIT ${statementLimit}`,
  columns: {
    user: label("Who runs it"),
    queryid: label("pg_stat_statements' number of it"),
    query: label("The beginning of its text, constants left out"),
    calls_total: counter("How often it ran"),
    seconds_total: counter("How long all runs took"),
    seconds_squared_total: counter("Sum of the squares of the runs' times"),
  },
};

const hypertables: MetricQuery = {
  name: "timelift_hypertable",
  cacheSeconds: 60,
  sql: `SELECT h.hypertable_name AS hypertable,
  hypertable_size(format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass) AS size_bytes,
  count(c.chunk_name) AS chunks,
  count(*) FILTER (WHERE c.is_compressed) AS compressed_chunks,
  count(*) FILTER (WHERE NOT c.is_compressed
    AND c.range_end < now() - (p.config ->> 'compress_after')::interval - 2 * p.schedule_interval) AS overdue_chunks
FROM timescaledb_information.hypertables AS h
LEFT JOIN timescaledb_information.chunks AS c USING (hypertable_schema, hypertable_name)
LEFT JOIN timescaledb_information.jobs AS p ON p.hypertable_schema = h.hypertable_schema
  AND p.hypertable_name = h.hypertable_name AND p.proc_name = 'policy_compression'
GROUP BY h.hypertable_schema, h.hypertable_name`,
  columns: {
    hypertable: label("Name"),
    size_bytes: gauge("Size with indexes and compressed chunks"),
    chunks: gauge("Chunks"),
    compressed_chunks: gauge("Chunks in the columnstore"),
    overdue_chunks: gauge("Chunks that the columnstore policy passed over twice"),
  },
};

const compression: MetricQuery = {
  name: "timelift_compression",
  cacheSeconds: 60,
  sql: `SELECT h.hypertable_name AS hypertable, s.before_compression_total_bytes AS before_bytes,
  s.after_compression_total_bytes AS after_bytes
FROM timescaledb_information.hypertables AS h
CROSS JOIN LATERAL hypertable_compression_stats(format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass) AS s
WHERE s.after_compression_total_bytes > 0`,
  columns: {
    hypertable: label("Name"),
    before_bytes: gauge("Bytes of its compressed chunks before"),
    after_bytes: gauge("Bytes of its compressed chunks now"),
  },
};

/**
 * TimescaleDB's jobs and timelift's scheduled tasks. Where the licence is Apache's, TimescaleDB's own job 3 fails by
 * design. A task that runs as a job of TimescaleDB is told of once, as a task.
 */
const jobs: MetricQuery = {
  name: "timelift_job",
  cacheSeconds: 15,
  sql: `SELECT concat_ws(' ', CASE WHEN j.proc_schema = '_timescaledb_functions' THEN j.proc_name ELSE j.proc_schema || '.' || j.proc_name END,
    j.hypertable_name, j.job_id) AS name, 'timescaledb' AS scheduler,
  coalesce(s.last_run_status = 'Failed', false)::int AS failing,
  extract(epoch FROM CASE WHEN s.last_successful_finish > '-infinity' THEN s.last_successful_finish END)
    AS last_success_timestamp_seconds,
  s.total_runs AS runs, s.total_failures AS failures
FROM timescaledb_information.jobs AS j JOIN timescaledb_information.job_stats AS s USING (job_id)
WHERE NOT (j.proc_schema = 'timelift' AND j.proc_name = 'run_task_job')
  AND NOT (j.job_id = 3 AND current_setting('timescaledb.license', true) = 'apache')
UNION ALL
SELECT name, scheduler, (error IS NOT NULL OR coalesce(finished_at < now() - 3 * every, false))::int,
  extract(epoch FROM finished_at), NULL, NULL
FROM timelift.task`,
  columns: {
    // Prometheus gives the label `job` another meaning.
    name: label("What it does, and for which hypertable"),
    scheduler: label("Who runs it: timescaledb, pg_cron, maintain"),
    failing: gauge("1 where its last run failed, or a task was passed over three times"),
    last_success_timestamp_seconds: gauge("When it last succeeded"),
    runs: gauge("Runs since it exists"),
    failures: gauge("Failed runs since it exists"),
  },
};

const aggregates: MetricQuery = {
  name: "timelift_aggregate",
  cacheSeconds: 15,
  sql: `SELECT r.name AS aggregate, r.realised_as AS realised_as,
  extract(epoch FROM now() - greatest(r.settled_at, t.finished_at, s.last_successful_finish)) AS lag_seconds
FROM timelift.realised AS r
LEFT JOIN timelift.task AS t ON t.name = 'refresh ' || r.name
LEFT JOIN timescaledb_information.continuous_aggregates AS c ON c.view_name = r.name
LEFT JOIN timescaledb_information.jobs AS j ON j.hypertable_name = c.materialization_hypertable_name
  AND j.proc_name = 'policy_refresh_continuous_aggregate'
LEFT JOIN timescaledb_information.job_stats AS s ON s.job_id = j.job_id AND s.last_successful_finish > '-infinity'
WHERE r.kind = 'continuous aggregate'`,
  columns: {
    aggregate: label("Name"),
    realised_as: label("native or fallback"),
    lag_seconds: gauge("Time since it was last refreshed"),
  },
};

function freshness({ workload, freshness = {}, expectedUntil }: DatabaseQueriesArgs): MetricQuery[] {
  const selects = Object.entries(freshness).map(([table, rule]) => {
    const newest = `timelift.newest_row(${literal(table)})`;
    const until = expectedUntil[table];
    const behind = behindSql({ freshness: rule, newest, ...(until !== undefined && { until }) });
    return `SELECT ${literal(workload)} AS workload, ${literal(table)} AS "table",
  extract(epoch FROM ${newest}) AS newest_row_timestamp_seconds, ${behind} AS behind_seconds`;
  });
  if (selects.length === 0) return [];
  return [
    {
      name: "timelift_table",
      cacheSeconds: 30,
      sql: selects.join("\nUNION ALL\n"),
      columns: {
        workload: label("Name of the workload"),
        table: label("Name of the hypertable"),
        newest_row_timestamp_seconds: gauge("Time of its newest row"),
        behind_seconds: gauge("How long the first missing row has been due"),
      },
    },
  ];
}
