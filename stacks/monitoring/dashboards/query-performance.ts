import type { Dashboard } from "../../../migrations/dashboard.ts";
import { of, stack } from "./expression.ts";
import type { Limits } from "./limits.ts";

/** How long queries take, and which of them take it. */
export function queryPerformance({ queryP95Seconds }: Limits): Dashboard {
  return {
    uid: "timelift-queries",
    title: "Query performance",
    description: "How long queries take, and which of them take it.",
    range: { hours: 6 },
    variables: [stack],
    rows: [
      {
        title: "All queries",
        panels: [
          {
            title: "95th percentile",
            description: "19 of 20 queries of the last five minutes were faster.",
            show: "number",
            unit: "seconds",
            queries: [{ promql: of("timelift:query_p95_seconds") }],
            thresholds: [
              { from: queryP95Seconds / 2, colour: "amber" },
              { from: queryP95Seconds, colour: "red" },
            ],
            empty: "no query in the last 5 minutes",
            alert: "QueryLatencyHigh",
          },
          {
            title: "Mean",
            description: "Mean run time of the queries of the last five minutes.",
            show: "number",
            unit: "seconds",
            queries: [{ promql: of("timelift:query_mean_seconds") }],
            empty: "no query in the last 5 minutes",
          },
          {
            title: "Queries",
            description: "Queries that ended, a second.",
            show: "number",
            unit: "per second",
            queries: [{ promql: of("timelift:queries_per_second") }],
          },
          {
            title: "Found in memory",
            description:
              "Share of block reads that shared_buffers answered. Low for long: memoryMb is too small for the data in use.",
            show: "number",
            unit: "ratio",
            decimals: 1,
            queries: [{ promql: of("timelift:database_cache_hit_ratio") }],
          },
          {
            title: "Run time of queries",
            description: "95th percentile and mean of five minutes.",
            show: "series",
            unit: "seconds",
            queries: [
              { promql: of("timelift:query_p95_seconds"), legend: "95th percentile" },
              { promql: of("timelift:query_mean_seconds"), legend: "mean" },
            ],
            thresholds: [{ from: queryP95Seconds, colour: "red" }],
            empty: "no query in the last 5 minutes",
            alert: "QueryLatencyHigh",
          },
          {
            title: "Transactions",
            description: "By result. Many roll-backs: an application meets errors.",
            show: "series",
            unit: "per second",
            queries: [{ promql: of("timelift:database_transactions_per_second"), legend: "{{result}}" }],
          },
          {
            title: "Rows",
            description: "By what was done with them.",
            show: "series",
            unit: "rows per second",
            queries: [{ promql: of("timelift:database_rows_per_second"), legend: "{{operation}}" }],
          },
          {
            title: "Deadlocks",
            description: "Deadlocks that the server broke; each is a transaction that failed.",
            show: "series",
            unit: "per second",
            queries: [{ promql: of("timelift:database_deadlocks_per_second"), legend: "deadlocks" }],
          },
        ],
      },
      {
        title: "Statements",
        panels: [
          {
            title: "Time that statements take",
            description:
              "Seconds a second of each of the ten most expensive statements: 1 keeps one core busy.",
            show: "series",
            unit: "none",
            decimals: 3,
            width: 24,
            queries: [
              {
                promql: `topk(10, ${of("timelift:query_statement_seconds_per_second")})`,
                legend: "{{query}}",
              },
            ],
          },
          {
            title: "Slowest statements",
            description: "Mean run time of a statement since the statistics began.",
            show: "series",
            unit: "seconds",
            queries: [
              { promql: `topk(10, ${of("timelift:query_statement_mean_seconds")})`, legend: "{{query}}" },
            ],
          },
          {
            title: "Most frequent statements",
            description: "How often each runs. Many runs of a fast statement cost as much as a slow one.",
            show: "series",
            unit: "per second",
            queries: [
              { promql: `topk(10, ${of("timelift:query_statement_calls_per_second")})`, legend: "{{query}}" },
            ],
          },
        ],
      },
      {
        title: "Pool",
        panels: [
          {
            title: "Clients",
            description: "Clients of the pool. Those that wait want a server connection and there is none.",
            show: "series",
            unit: "count",
            queries: [{ promql: of("timelift:pooler_clients"), legend: "{{user}} {{state}}" }],
            empty: "nobody has used the pool yet",
            alert: "ConnectionPoolSaturated",
          },
          {
            title: "Longest wait",
            description: "How long the oldest waiting client has waited for a connection.",
            show: "series",
            unit: "seconds",
            queries: [{ promql: of("timelift:pooler_wait_seconds"), legend: "{{user}}" }],
            empty: "nobody has used the pool yet",
          },
        ],
      },
    ],
  };
}
