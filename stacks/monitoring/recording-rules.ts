import { queryLatencyRules, type RecordingRule } from "./query-latency.ts";
import type { RecordedName } from "./series.ts";

/** What the rules have to know of a stack. */
export interface RecordingArgs {
  /** The stack's database. */
  database: string;
  /** Regular expression of the roles whose queries count for latency. */
  applications: string;
  /** How far back rates look, in seconds. */
  windowSeconds: number;
}

type LatencyName =
  | "timelift:query_p95_seconds"
  | "timelift:query_mean_seconds"
  | "timelift:queries_per_second";

/** Rules that map what exporters say to the names that alerts and panels use. */
export function recordingRules({ database, applications, windowSeconds }: RecordingArgs): RecordingRule[] {
  const window = `${windowSeconds}s`;
  const mapped = mapping(JSON.stringify(database), window);
  const rules = Object.entries(mapped).flatMap(([record, exprs]) =>
    [exprs].flat().map((expr): RecordingRule => ({ record, expr })),
  );
  const first = rules.findIndex(({ record }) => record.startsWith("timelift:query_"));
  return [...rules.slice(0, first), ...queryLatencyRules(applications, window), ...rules.slice(first)];
}

/** Of all samples, the largest by stack and the given labels; NaN, which stands for NULL, is left out. */
function largest(metric: string, ...labels: string[]): string {
  return `max by (${["stack", ...labels].join(", ")}) (${metric} == ${metric})`;
}

function total(expr: string, ...labels: string[]): string {
  return `sum by (${["stack", ...labels].join(", ")}) (${expr})`;
}

/** The same metric in several versions, told apart by a label. */
function told(label: string, versions: Record<string, string>): string {
  return Object.entries(versions)
    .map(([value, expr]) => `label_replace(${expr}, "${label}", "${value}", "", "")`)
    .join(" or ");
}

const job = (metric: string) =>
  `max by (stack, job, scheduler) (label_replace(${metric} == ${metric}, "job", "$1", "name", "(.+)"))`;

function mapping(database: string, window: string): Record<Exclude<RecordedName, LatencyName>, string> {
  const ofDatabase = `{datname=${database}}`;
  const rate = (metric: string) => `rate(${metric}[${window}])`;
  const stat = (metric: string) => total(rate(`pg_stat_database_${metric}${ofDatabase}`));
  const pool = (metric: string) =>
    total(`pgbouncer_pools_${metric}_connections{database=${database}}`, "user");
  const statement = (metric: string) => total(rate(`timelift_statement_${metric}_total`), "queryid", "query");
  const ratio = (part: string, other: string) => `(${part} / (${part} + ${other})) >= 0`;
  return {
    "timelift:database_up": largest("pg_up"),
    "timelift:database_size_bytes": largest(`pg_database_size_bytes${ofDatabase}`),
    "timelift:database_connections": total(`pg_stat_activity_count{datname=${database}, state!=""}`, "state"),
    "timelift:database_connections_limit": largest("timelift_server_connections_limit"),
    "timelift:database_transactions_per_second": told("result", {
      commit: stat("xact_commit"),
      rollback: stat("xact_rollback"),
    }),
    "timelift:database_cache_hit_ratio": ratio(stat("blks_hit"), stat("blks_read")),
    "timelift:database_deadlocks_per_second": stat("deadlocks"),
    "timelift:database_rows_per_second": told("operation", {
      fetched: stat("tup_fetched"),
      inserted: stat("tup_inserted"),
      updated: stat("tup_updated"),
      deleted: stat("tup_deleted"),
    }),
    "timelift:database_oldest_transaction_seconds": largest("timelift_server_oldest_transaction_seconds"),
    "timelift:replication_lag_seconds": largest("timelift_replica_lag_seconds", "replica"),

    "timelift:query_statement_seconds_per_second": statement("seconds"),
    "timelift:query_statement_mean_seconds": `${total("timelift_statement_seconds_total", "queryid", "query")} / ${total("timelift_statement_calls_total", "queryid", "query")}`,
    "timelift:query_statement_calls_per_second": statement("calls"),

    "timelift:hypertable_size_bytes": largest("timelift_hypertable_size_bytes", "hypertable"),
    "timelift:hypertable_chunks": largest("timelift_hypertable_chunks", "hypertable"),
    "timelift:hypertable_compressed_chunks": largest("timelift_hypertable_compressed_chunks", "hypertable"),
    "timelift:hypertable_overdue_chunks": largest("timelift_hypertable_overdue_chunks", "hypertable"),
    "timelift:hypertable_compression_ratio": `${largest("timelift_compression_before_bytes", "hypertable")} / ${largest("timelift_compression_after_bytes", "hypertable")}`,

    "timelift:job_failing": job("timelift_job_failing"),
    "timelift:job_last_success_timestamp_seconds": job("timelift_job_last_success_timestamp_seconds"),
    "timelift:job_runs": job("timelift_job_runs"),
    "timelift:job_failures": job("timelift_job_failures"),

    "timelift:aggregate_lag_seconds": largest("timelift_aggregate_lag_seconds", "aggregate", "realised_as"),

    "timelift:table_newest_row_timestamp_seconds": largest(
      "timelift_table_newest_row_timestamp_seconds",
      ...["workload", "table"],
    ),
    "timelift:table_behind_seconds": largest("timelift_table_behind_seconds", "workload", "table"),

    "timelift:pooler_up": largest("pgbouncer_up"),
    "timelift:pooler_clients": told("state", {
      active: pool("client_active"),
      waiting: pool("client_waiting"),
    }),
    "timelift:pooler_servers": told("state", {
      active: pool("server_active"),
      idle: pool("server_idle"),
      used: pool("server_used"),
    }),
    "timelift:pooler_size": largest(`pgbouncer_databases_pool_size{database=${database}}`),
    "timelift:pooler_used_ratio": `${pool("server_active")} / on (stack) group_left timelift:pooler_size`,
    "timelift:pooler_wait_seconds": largest(
      `pgbouncer_pools_client_maxwait_seconds{database=${database}}`,
      "user",
    ),

    "timelift:cache_up": largest("redis_up"),
    "timelift:cache_memory_bytes": largest("redis_memory_used_bytes"),
    "timelift:cache_memory_limit_bytes": largest("redis_memory_max_bytes"),
    "timelift:cache_hit_ratio": ratio(
      total(rate("redis_keyspace_hits_total")),
      total(rate("redis_keyspace_misses_total")),
    ),
    "timelift:cache_evictions_per_second": total(rate("redis_evicted_keys_total")),
    "timelift:cache_commands_per_second": total(rate("redis_commands_processed_total")),
    "timelift:cache_keys": `${total("redis_db_keys")} or 0 * timelift:cache_up`,

    "timelift:disk_free_bytes": `min by (stack) (node_filesystem_avail_bytes)`,
    "timelift:disk_size_bytes": `min by (stack) (node_filesystem_size_bytes)`,
    "timelift:disk_free_in_a_day_bytes": `clamp_min(min by (stack) (predict_linear(node_filesystem_avail_bytes[6h], 86400)), 0)`,

    "timelift:target_up": largest("up", "job"),
  };
}
