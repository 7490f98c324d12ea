import { chosen, type DashboardVariable, defineDashboards } from "../dashboard.ts";

const ticker: DashboardVariable = {
  name: "symbol",
  label: "Ticker",
  values: { sql: "SELECT ticker FROM signals GROUP BY ticker ORDER BY count(*) DESC, ticker" },
};
const ofTicker = `ticker = ${chosen("symbol")}`;

export default defineDashboards([
  {
    uid: "timelift-forward-factor",
    title: "forward-factor: signals",
    description: "How many signals come, how strong they are, and what users decide on them.",
    range: { days: 30 },
    variables: [ticker],
    rows: [
      {
        title: "All tickers",
        panels: [
          {
            title: "Signals",
            description: "Signals in the time range.",
            show: "number",
            unit: "count",
            queries: [{ sql: "SELECT count(*) AS signals FROM signals WHERE $__timeFilter(as_of_ts)" }],
          },
          {
            title: "Newest signal",
            description: "While markets are open a new one comes every few minutes.",
            show: "number",
            unit: "moment",
            queries: [{ sql: "SELECT extract(epoch FROM max(as_of_ts)) * 1000 AS newest FROM signals" }],
            alert: "DataStaleness",
          },
          {
            title: "Decisions",
            description: "What users decided in the time range.",
            show: "number",
            unit: "count",
            queries: [
              {
                sql: "SELECT count(*) AS decisions FROM signal_user_decisions WHERE $__timeFilter(decision_ts)",
              },
            ],
          },
          {
            title: "Signals per hour",
            description:
              "From signals_hourly; nights and weekends are quiet. None in a session is a fault of the source.",
            show: "bars",
            unit: "count",
            width: 24,
            queries: [
              {
                sql: `SELECT bucket AS "time", sum(signal_count)::float8 AS signals FROM signals_hourly
WHERE $__timeFilter(bucket) GROUP BY bucket ORDER BY bucket`,
              },
            ],
          },
          {
            title: "Decisions per day",
            description: "By what users did with the signal.",
            show: "bars",
            unit: "count",
            queries: [
              {
                sql: `SELECT date_trunc('day', decision_ts) AS "time", decision AS metric, count(*) AS decisions
FROM signal_user_decisions WHERE $__timeFilter(decision_ts) GROUP BY 1, 2 ORDER BY 1, 2`,
              },
            ],
          },
          {
            title: "Tickers with the most signals",
            description: "In the time range, with the strength of their signals, from signals_daily_summary.",
            show: "table",
            unit: "count",
            columns: { ticker: "none", mean: "ratio", highest: "ratio" },
            queries: [
              {
                sql: `SELECT ticker, sum(signal_count)::float8 AS signals,
  sum(avg_ff * signal_count) / sum(signal_count) AS mean, max(max_ff) AS highest
FROM signals_daily_summary WHERE $__timeFilter(day) GROUP BY ticker ORDER BY signals DESC, ticker LIMIT 20`,
              },
            ],
          },
        ],
      },
      {
        title: "$symbol",
        panels: [
          {
            title: "Forward factor of $symbol",
            description:
              "Of each signal: how much dearer the nearer options' volatility is than the forward one.",
            show: "series",
            unit: "ratio",
            queries: [
              {
                sql: `SELECT as_of_ts AS "time", ff_value AS "forward factor" FROM signals
WHERE ${ofTicker} AND $__timeFilter(as_of_ts) ORDER BY as_of_ts`,
              },
            ],
          },
          {
            title: "Signals per day of $symbol",
            description: "From signals_daily_summary.",
            show: "bars",
            unit: "count",
            queries: [
              {
                sql: `SELECT day AS "time", signal_count AS signals FROM signals_daily_summary
WHERE ${ofTicker} AND $__timeFilter(day) ORDER BY day`,
              },
            ],
          },
        ],
      },
    ],
  },
]);
