import { chosen, type DashboardVariable, defineDashboards } from "../dashboard.ts";

const symbol: DashboardVariable = {
  name: "symbol",
  label: "Symbol",
  values: { sql: "SELECT symbol FROM price_history GROUP BY symbol ORDER BY count(*) DESC, symbol" },
};
const ofSymbol = `symbol = ${chosen("symbol")}`;

export default defineDashboards([
  {
    uid: "timelift-stockula",
    title: "stockula: prices",
    description: "Prices of one symbol, how new those of every symbol are, and how much there is of them.",
    range: { days: 365 },
    variables: [symbol],
    rows: [
      {
        title: "$symbol",
        panels: [
          {
            title: "Last close of $symbol",
            description: "Close of the newest day that the symbol has, whatever the time range.",
            show: "number",
            unit: "price",
            decimals: 2,
            queries: [
              {
                sql: `SELECT close FROM price_history WHERE ${ofSymbol} AND close IS NOT NULL ORDER BY time DESC LIMIT 1`,
              },
            ],
          },
          {
            title: "Newest day of $symbol",
            description:
              "Day of the newest price of the symbol. On a source that goes on it is the last session.",
            show: "number",
            unit: "moment",
            queries: [
              {
                sql: `SELECT extract(epoch FROM max(time)) * 1000 AS newest FROM price_history WHERE ${ofSymbol}`,
              },
            ],
          },
          {
            title: "Days of $symbol",
            description: "Daily prices that the symbol has in all.",
            show: "number",
            unit: "rows",
            queries: [
              { sql: `SELECT count(*) AS days FROM price_history WHERE ${ofSymbol} AND "interval" = '1d'` },
            ],
          },
          {
            title: "Open, high, low and close of $symbol",
            description:
              "Each day's prices and volume, from ohlc_daily. A gap on a weekday is a holiday or a lost day.",
            show: "candles",
            unit: "price",
            decimals: 2,
            width: 24,
            queries: [
              {
                sql: `SELECT date AS "time", open, high, low, close, volume FROM ohlc_daily
WHERE ${ofSymbol} AND $__timeFilter(date) ORDER BY date`,
              },
            ],
          },
          {
            title: "Close of $symbol and its mean of 20 days",
            description: "The application's moving average, by the SQL function sma.",
            show: "series",
            unit: "price",
            decimals: 2,
            queries: [
              {
                sql: `SELECT date AS "time", close, average AS "mean of 20 days" FROM sma(${chosen("symbol")}, 20)
WHERE $__timeFilter(date) ORDER BY date`,
              },
            ],
          },
          {
            title: "Monthly high and low of $symbol",
            description:
              "From ohlc_monthly, which is built on ohlc_daily: the one follows the other within a day.",
            show: "series",
            unit: "price",
            decimals: 2,
            queries: [
              {
                sql: `SELECT date AS "time", high, low FROM ohlc_monthly
WHERE ${ofSymbol} AND $__timeFilter(date) ORDER BY date`,
              },
            ],
          },
        ],
      },
      {
        title: "All symbols",
        panels: [
          {
            title: "How new each symbol's prices are",
            description:
              "The symbols furthest behind come first. One that is behind the others was delisted, or its import fails.",
            show: "table",
            unit: "none",
            columns: { newest: "moment", behind: "seconds", days: "rows" },
            queries: [
              {
                sql: `SELECT symbol, extract(epoch FROM max(time)) * 1000 AS newest,
  extract(epoch FROM (SELECT max(time) FROM price_history) - max(time)) AS behind, count(*) AS days
FROM price_history GROUP BY symbol ORDER BY max(time), symbol LIMIT 100`,
              },
            ],
            alert: "DataStaleness",
          },
          {
            title: "Symbols with a price, by day",
            description: "Falls where an import lost symbols; rises when some are added.",
            show: "series",
            unit: "count",
            queries: [
              {
                sql: `SELECT date AS "time", count(*) AS symbols FROM ohlc_daily
WHERE $__timeFilter(date) GROUP BY date ORDER BY date`,
              },
            ],
          },
          {
            title: "Rows of the application's tables",
            description: "As the planner estimates them: exact after an ANALYZE, and cheap to ask.",
            show: "table",
            unit: "rows",
            columns: { table: "none" },
            queries: [
              {
                sql: `SELECT t.name AS "table", approximate_row_count(to_regclass(t.name)) AS rows
FROM unnest(ARRAY['stocks', 'price_history', 'dividends', 'splits', 'options_calls', 'options_puts', 'stock_info']) AS t(name)
WHERE to_regclass(t.name) IS NOT NULL ORDER BY 2 DESC, 1`,
              },
            ],
          },
        ],
      },
    ],
  },
]);
