import type { Dashboard } from "../../../migrations/dashboard.ts";
import { of, stack } from "./expression.ts";
import type { Limits } from "./limits.ts";

/** Whether the services live, and whether TimescaleDB does its work: chunks, columnstore, jobs, aggregates, disk. */
export function timescaleHealth({ stalenessSeconds, poolUsedRatio, lagSeconds }: Limits): Dashboard {
  return {
    uid: "timelift-health",
    title: "TimescaleDB health",
    description: "Whether the services live, and whether TimescaleDB does its work.",
    range: { hours: 24 },
    variables: [stack],
    rows: [
      {
        title: "Now",
        panels: [
          {
            title: "Database",
            description: "Whether the exporter can log in to the database.",
            show: "number",
            unit: "flag",
            queries: [{ promql: of("timelift:database_up") }],
            thresholds: [
              { from: 0, colour: "red" },
              { from: 1, colour: "green" },
            ],
            alert: "DatabaseDown",
          },
          {
            title: "Pool",
            description: "Whether PgBouncer answers its exporter.",
            show: "number",
            unit: "flag",
            queries: [{ promql: of("timelift:pooler_up") }],
            thresholds: [
              { from: 0, colour: "red" },
              { from: 1, colour: "green" },
            ],
          },
          {
            title: "Cache",
            description: "Whether Redis answers its exporter.",
            show: "number",
            unit: "flag",
            queries: [{ promql: of("timelift:cache_up") }],
            thresholds: [
              { from: 0, colour: "red" },
              { from: 1, colour: "green" },
            ],
          },
          {
            title: "Failing jobs",
            description:
              "Jobs of TimescaleDB and scheduled tasks of timelift whose last run failed; 0 as well where none has run yet.",
            show: "number",
            unit: "count",
            queries: [
              {
                promql: `sum(${of("timelift:job_failing")}) or sum(0 * (${of("timelift:database_up")} == 1))`,
              },
            ],
            thresholds: [{ from: 1, colour: "red" }],
            empty: "the database does not answer",
            alert: "JobFailing",
          },
          {
            title: "Database size",
            description: "With indexes and compressed chunks.",
            show: "number",
            unit: "bytes",
            queries: [{ promql: of("timelift:database_size_bytes") }],
          },
          {
            title: "Disk left",
            description: "Space that is left to the database on its disk.",
            show: "number",
            unit: "ratio",
            decimals: 0,
            queries: [{ promql: `${of("timelift:disk_free_bytes")} / ${of("timelift:disk_size_bytes")}` }],
            thresholds: [
              { from: 0, colour: "red" },
              { from: 0.1, colour: "amber" },
              { from: 0.2, colour: "green" },
            ],
            alert: "DiskFilling",
          },
        ],
      },
      {
        title: "Hypertables",
        panels: [
          {
            title: "Size of each hypertable",
            description: "A fall follows compression or retention.",
            show: "series",
            unit: "bytes",
            queries: [{ promql: of("timelift:hypertable_size_bytes"), legend: "{{hypertable}}" }],
          },
          {
            title: "Chunks of each hypertable",
            description:
              "Thousands of small chunks make planning slow: timelift advise says which span fits.",
            show: "series",
            unit: "count",
            queries: [{ promql: of("timelift:hypertable_chunks"), legend: "{{hypertable}}" }],
          },
          {
            title: "Bytes saved by the columnstore",
            description: "Bytes before compression for each byte after it.",
            show: "series",
            unit: "none",
            decimals: 1,
            queries: [{ promql: of("timelift:hypertable_compression_ratio"), legend: "{{hypertable}}" }],
          },
          {
            title: "Chunks that should be in the columnstore",
            description: "Chunks that the policy should have compressed by now and did not.",
            show: "series",
            unit: "count",
            queries: [{ promql: of("timelift:hypertable_overdue_chunks"), legend: "{{hypertable}}" }],
            thresholds: [{ from: 1, colour: "amber" }],
            alert: "ChunkNotCompressed",
          },
          {
            title: "How far each table is behind",
            description:
              "Time that its newest row is behind what the workload expects by now; 0 on weekends of a daily source.",
            show: "series",
            unit: "seconds",
            queries: [{ promql: of("timelift:table_behind_seconds"), legend: "{{workload}} {{table}}" }],
            thresholds: [{ from: stalenessSeconds, colour: "red" }],
            alert: "DataStaleness",
          },
          {
            title: "Time since each aggregate was refreshed",
            description: "Grows until the next run of its policy, or of the task that stands in for it.",
            show: "series",
            unit: "seconds",
            queries: [
              { promql: of("timelift:aggregate_lag_seconds"), legend: "{{aggregate}} ({{realised_as}})" },
            ],
            alert: "JobFailing",
          },
        ],
      },
      {
        title: "Server",
        panels: [
          {
            title: "Server connections",
            description: "By what they do. Many that are idle in a transaction hold locks and dead rows.",
            show: "series",
            unit: "count",
            queries: [
              { promql: of("timelift:database_connections"), legend: "{{state}}" },
              { promql: of("timelift:database_connections_limit"), legend: "limit" },
            ],
          },
          {
            title: "Pool in use",
            description: "Active server connections for each that may be open. At 1 clients wait.",
            show: "series",
            unit: "ratio",
            decimals: 0,
            queries: [{ promql: of("timelift:pooler_used_ratio"), legend: "{{user}}" }],
            thresholds: [{ from: poolUsedRatio, colour: "red" }],
            empty: "nobody has used the pool yet",
            alert: "ConnectionPoolSaturated",
          },
          {
            title: "Oldest transaction",
            description: "A transaction that stays open keeps vacuum from removing dead rows.",
            show: "series",
            unit: "seconds",
            queries: [{ promql: of("timelift:database_oldest_transaction_seconds"), legend: "oldest" }],
          },
          {
            title: "Replicas behind",
            description: "How far each replica is behind.",
            show: "series",
            unit: "seconds",
            queries: [{ promql: of("timelift:replication_lag_seconds"), legend: "{{replica}}" }],
            thresholds: [{ from: lagSeconds, colour: "red" }],
            alert: "ReplicationOrCaptureLag",
          },
          {
            title: "Disk",
            description: "Space now, and in a day if the last six hours go on.",
            show: "series",
            unit: "bytes",
            queries: [
              { promql: of("timelift:disk_free_bytes"), legend: "free" },
              { promql: of("timelift:disk_free_in_a_day_bytes"), legend: "free in a day" },
            ],
            alert: "DiskFilling",
          },
          {
            title: "Memory of the cache",
            description: "At the limit the keys unused for longest go, which is what a cache is for.",
            show: "series",
            unit: "bytes",
            queries: [
              { promql: of("timelift:cache_memory_bytes"), legend: "used" },
              { promql: of("timelift:cache_memory_limit_bytes"), legend: "limit" },
            ],
          },
        ],
      },
    ],
  };
}
