/** What a series measures in; names end with it, as Prometheus' conventions ask. */
export type Unit = "bytes" | "seconds" | "timestamp" | "ratio" | "count" | "per second" | "flag";

/** One series that alerts and panels may use. */
export interface Series {
  unit: Unit;
  /** Labels beside `stack`, which every series has. */
  labels: readonly string[];
  /** One line, for people. */
  help: string;
  /** Why a healthy stack has no samples of it; `undefined` where it always has. */
  emptyWhen?: string;
}

const noReplica = "nothing replicates from the database";
const onlyCommunity = "the edition is Apache, which compresses nothing";
const noAggregate = "the workload declares no aggregate";
const noFreshness = "the workload says of no table how fresh it has to be";
const noPooler = "the stack runs no PgBouncer";
const noCache = "the stack runs no Redis";
const noCapture = "nothing captures changes";

/**
 * The one list of what alerts and panels are made of: `timelift:…` is recorded by `recording-rules.ts`, which maps what
 * each platform's exporters say to these names. Nothing else may name an exporter's own metric.
 */
export const recorded = {
  // The database
  "timelift:database_up": series("flag", [], "1 while the exporter can log in to the database, else 0"),
  "timelift:database_size_bytes": series("bytes", [], "Size of the stack's database"),
  "timelift:database_connections": series("count", ["state"], "Server connections by what they do"),
  "timelift:database_connections_limit": series("count", [], "max_connections of the server"),
  "timelift:database_transactions_per_second": series(
    "per second",
    ["result"],
    "Transactions by result: commit, rollback",
  ),
  "timelift:database_cache_hit_ratio": series(
    "ratio",
    [],
    "Share of block reads that shared_buffers answered, 5 minutes",
  ),
  "timelift:database_deadlocks_per_second": series("per second", [], "Deadlocks that were broken"),
  "timelift:database_rows_per_second": series(
    "per second",
    ["operation"],
    "Rows by operation: fetched, inserted, updated, deleted",
  ),
  "timelift:database_oldest_transaction_seconds": series("seconds", [], "Age of the oldest open transaction"),
  "timelift:replication_lag_seconds": series(
    "seconds",
    ["replica"],
    "How far each replica is behind",
    noReplica,
  ),

  // Query latency
  "timelift:query_p95_seconds": series(
    "seconds",
    [],
    "95th percentile of the run time of the queries of 5 minutes, as docs/monitoring.md defines it",
  ),
  "timelift:query_mean_seconds": series("seconds", [], "Mean run time of the queries of 5 minutes"),
  "timelift:queries_per_second": series("per second", [], "Queries that ended, 5 minutes"),
  "timelift:query_statement_seconds_per_second": series(
    "ratio",
    ["queryid", "query"],
    "Seconds a second that each of the most expensive statements takes, 5 minutes",
  ),
  "timelift:query_statement_mean_seconds": series(
    "seconds",
    ["queryid", "query"],
    "Mean run time of each of the most expensive statements since the statistics began",
  ),
  "timelift:query_statement_calls_per_second": series(
    "per second",
    ["queryid", "query"],
    "How often each of the most expensive statements runs, 5 minutes",
  ),

  // Hypertables
  "timelift:hypertable_size_bytes": series(
    "bytes",
    ["hypertable"],
    "Size with indexes and compressed chunks",
  ),
  "timelift:hypertable_chunks": series("count", ["hypertable"], "Chunks"),
  "timelift:hypertable_compressed_chunks": series("count", ["hypertable"], "Chunks in the columnstore"),
  "timelift:hypertable_overdue_chunks": series(
    "count",
    ["hypertable"],
    "Chunks that the columnstore policy should have compressed by now and did not",
    onlyCommunity,
  ),
  "timelift:hypertable_compression_ratio": series(
    "ratio",
    ["hypertable"],
    "Bytes before compression for each byte after it",
    onlyCommunity,
  ),

  // Jobs: TimescaleDB's (without Apache's own telemetry job) and timelift's scheduled tasks
  "timelift:job_failing": series("flag", ["job", "scheduler"], "1 where the last run of the job failed"),
  "timelift:job_last_success_timestamp_seconds": series(
    "timestamp",
    ["job", "scheduler"],
    "When the job last succeeded",
    "no job has run yet",
  ),
  "timelift:job_runs": series(
    "count",
    ["job", "scheduler"],
    "Runs since the job exists; only TimescaleDB counts them",
    onlyCommunity,
  ),
  "timelift:job_failures": series(
    "count",
    ["job", "scheduler"],
    "Failed runs since the job exists; only TimescaleDB counts them",
    onlyCommunity,
  ),

  // Aggregates
  "timelift:aggregate_lag_seconds": series(
    "seconds",
    ["aggregate", "realised_as"],
    "Time since an aggregate was last refreshed: realised_as is native or fallback",
    noAggregate,
  ),

  // Freshness
  "timelift:table_newest_row_timestamp_seconds": series(
    "timestamp",
    ["workload", "table"],
    "Time of the newest row",
    noFreshness,
  ),
  "timelift:table_behind_seconds": series(
    "seconds",
    ["workload", "table"],
    "How far the newest row is behind what the workload expects by now; 0 where it is not",
    noFreshness,
  ),

  // The pooler
  "timelift:pooler_up": series("flag", [], "1 while the pool answers its exporter, else 0", noPooler),
  "timelift:pooler_clients": series(
    "count",
    ["user", "state"],
    "Clients by state: active, waiting",
    noPooler,
  ),
  "timelift:pooler_servers": series(
    "count",
    ["user", "state"],
    "Server connections by state: active, idle, used",
    noPooler,
  ),
  "timelift:pooler_size": series("count", [], "Server connections that a pool may open", noPooler),
  "timelift:pooler_used_ratio": series(
    "ratio",
    ["user"],
    "Active server connections for each that may be open",
    noPooler,
  ),
  "timelift:pooler_wait_seconds": series(
    "seconds",
    ["user"],
    "How long the oldest waiting client has waited",
    noPooler,
  ),

  // The cache
  "timelift:cache_up": series("flag", [], "1 while Redis answers its exporter, else 0", noCache),
  "timelift:cache_memory_bytes": series("bytes", [], "Memory that data take", noCache),
  "timelift:cache_memory_limit_bytes": series("bytes", [], "maxmemory", noCache),
  "timelift:cache_hit_ratio": series(
    "ratio",
    [],
    "Share of key look-ups that found one, 5 minutes",
    "nobody asks the cache",
  ),
  "timelift:cache_evictions_per_second": series("per second", [], "Keys that had to go for others", noCache),
  "timelift:cache_commands_per_second": series("per second", [], "Commands", noCache),
  "timelift:cache_keys": series("count", [], "Keys", noCache),

  // The disk that holds the services' data
  "timelift:disk_free_bytes": series("bytes", [], "Space that is left to the database on its disk"),
  "timelift:disk_size_bytes": series("bytes", [], "Size of that disk"),
  "timelift:disk_free_in_a_day_bytes": series(
    "bytes",
    [],
    "Space that will be left in 24 hours if the last 6 go on",
  ),

  // Prometheus' view of its targets
  "timelift:target_up": series("flag", ["job"], "1 while the target of a scrape job answers"),
} as const satisfies Record<string, Series>;
export type RecordedName = keyof typeof recorded;

/**
 * timelift's own metrics, as it says them: alerts and panels use these names as they are. They are read from its schema
 * in the target (`own-queries.ts`), by the PostgreSQL exporter or by `timelift metrics`.
 */
export const own = {
  timelift_load_rows_total: series(
    "count",
    ["workload", "table"],
    "Rows in the target that loads brought, by the ledger",
  ),
  timelift_load_parts_done: series("count", ["workload", "table"], "Parts that are in the ledger"),
  timelift_load_finished_timestamp_seconds: series(
    "timestamp",
    ["workload"],
    "When the last load ended well",
  ),
  timelift_load_duration_seconds: series(
    "seconds",
    ["workload"],
    "How long the last load that ended well took",
  ),
  timelift_rejects: series("count", ["workload", "table"], "Rows of the source that were rejected"),
  timelift_validation_checks: series(
    "count",
    ["workload", "status"],
    "Checks of the last validation: pass, fail, skip",
  ),
  timelift_validation_finished_timestamp_seconds: series(
    "timestamp",
    ["workload"],
    "When the last validation ended",
  ),
  timelift_validation_duration_seconds: series("seconds", ["workload"], "How long the last validation took"),
  timelift_validation_compared_rows: series("count", ["workload"], "Rows that the last validation compared"),
  timelift_capture_lag_seconds: series(
    "seconds",
    ["workload"],
    "Age of the oldest change not applied yet",
    noCapture,
  ),
  timelift_capture_pending_changes: series("count", ["workload"], "Changes not applied yet", noCapture),
} as const satisfies Record<string, Series>;
export type OwnName = keyof typeof own;

/** Every series that an alert or a panel may use. */
export const allSeries: Record<string, Series> = { ...recorded, ...own };

function series<const Labels extends readonly string[]>(
  unit: Unit,
  labels: Labels,
  help: string,
  emptyWhen?: string,
): Series & { labels: Labels } {
  return { unit, labels, help, ...(emptyWhen !== undefined && { emptyWhen }) };
}
