/** One rule that records a series. */
export interface RecordingRule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

/** Upper bounds of the histogram of run times, in seconds; finest where alerts are set. */
const bounds = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1],
  ...[1.25, 1.5, 2, 2.5, 5, 10, 30, 60, 300],
];

/**
 * Rules for the 95th percentile of the run time of queries, which pg_stat_statements does not know: it knows how often each
 * statement ran, for how long in all, and with what spread. Each statement's runs of the window are taken to be
 * log-normally distributed about its own mean with its own spread; their sum is a histogram, weighted by calls.
 *
 * @param users regular expression of the roles whose queries count
 * @param window of the rates, as Prometheus writes it
 */
export function queryLatencyRules(users: string, window: string): RecordingRule[] {
  const perStatement = (metric: string) =>
    `sum by (stack, queryid) (rate(timelift_statement_${metric}_total{user=~"${users}"}[${window}]))`;
  const [runs, mean, sigma] = ["runs", "mean", "sigma"].map((name) => `timelift:statement_${name}:rate`);
  // The logistic curve stands for the normal one; they differ by less than 0.01.
  const shareBelow = (bound: number) =>
    `1 / (1 + exp(-1.702 * (ln(${bound} / ${mean}) + ${sigma} ^ 2 / 2) / ${sigma}))`;
  const bucket = (le: string, expr: string) => ({
    record: "timelift:query_runs_bucket:rate",
    labels: { le },
    expr: `sum by (stack) (${expr})`,
  });
  // An idle stack has no queries, which is not the same as no monitoring.
  const orNone = "or 0 * timelift:database_up";
  return [
    { record: runs as string, expr: `${perStatement("calls")} > 0` },
    { record: mean as string, expr: `${perStatement("seconds")} / ${runs} > 0` },
    {
      record: sigma as string,
      expr: `clamp_min(sqrt(ln(clamp_min(${perStatement("seconds_squared")} / ${runs} / ${mean} ^ 2, 1))), 0.01)`,
    },
    ...bounds.map((bound) => bucket(String(bound), `${runs} * ${shareBelow(bound)}`)),
    bucket("+Inf", runs as string),
    {
      record: "timelift:query_p95_seconds",
      expr: `histogram_quantile(0.95, timelift:query_runs_bucket:rate) ${orNone}`,
    },
    {
      record: "timelift:query_mean_seconds",
      expr: `sum by (stack) (${runs} * ${mean}) / sum by (stack) (${runs}) ${orNone}`,
    },
    { record: "timelift:queries_per_second", expr: `sum by (stack) (${runs}) ${orNone}` },
  ];
}
