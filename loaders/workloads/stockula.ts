import { z } from "zod";
import { defineLoader, drop } from "../define-loader.ts";
import { eachSession } from "../freshness.ts";

/** `timelift:workloadOptions` of stockula. */
export const options = z.strictObject({
  /**
   * Type of every price column. `double precision` keeps what the application stores
   * (129.94000244140625); `numeric(20,6)` rounds to six decimals, and validation compares under that rounding.
   */
  priceType: z.enum(["double precision", "numeric(20,6)"]).default("double precision"),
});

export default defineLoader({
  tables: {
    stocks: {},
    price_history: {
      order: ["symbol", "time"],
      columns: {
        id: drop,
        date: "time",
        open_price: "open",
        high_price: "high",
        low_price: "low",
        close_price: "close",
      },
      absent: ["adjusted_close"],
    },
    dividends: { columns: { id: drop, date: "time" } },
    splits: { columns: { id: drop, date: "time" } },
    options_calls: {},
    options_puts: {},
    stock_info: { columns: { info_json: "info" } },
    strategies: {},
    strategy_presets: { columns: { parameters_json: "parameters" } },
    autots_models: {},
    autots_presets: {},
  },
  freshness: { price_history: eachSession("XNYS") },
  queries: {
    "daily OHLC, one symbol, one year": {
      sqlite: `
        SELECT date, open_price, high_price, low_price, close_price, volume
        FROM price_history
        WHERE symbol = '^GSPC' AND interval = '1d' AND date >= '2008-01-01' AND date < '2009-01-01'
        ORDER BY date`,
      timescale: `
        SELECT time, open, high, low, close, volume
        FROM price_history
        WHERE symbol = '^GSPC' AND "interval" = '1d' AND time >= '2008-01-01+00' AND time < '2009-01-01+00'
        ORDER BY time`,
    },
    "monthly OHLC, all symbols, one year": {
      analytical: true,
      sqlite: `
        SELECT DISTINCT symbol, interval, strftime('%Y-%m-01', date) AS month,
          first_value(open_price) OVER month, max(high_price) OVER month, min(low_price) OVER month,
          last_value(close_price) OVER month, sum(volume) OVER month
        FROM price_history
        WHERE date >= '2009-01-01' AND date < '2010-01-01'
        WINDOW month AS (
          PARTITION BY symbol, interval, strftime('%Y-%m-01', date) ORDER BY date
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        ORDER BY symbol, interval, month`,
      timescale: `
        SELECT symbol, "interval", time_bucket('1 month', time) AS month,
          first(open, time), max(high), min(low), last(close, time), sum(volume)
        FROM price_history
        WHERE time >= '2009-01-01+00' AND time < '2010-01-01+00'
        GROUP BY symbol, "interval", month
        ORDER BY symbol COLLATE "C", "interval" COLLATE "C", month`,
    },
    "latest close, every symbol": {
      analytical: true,
      sqlite: `
        SELECT symbol, interval, max(date), close_price
        FROM price_history
        GROUP BY symbol, interval
        ORDER BY symbol, interval`,
      timescale: `
        SELECT symbol, "interval", max(time), last(close, time)
        FROM price_history
        GROUP BY symbol, "interval"
        ORDER BY symbol COLLATE "C", "interval" COLLATE "C"`,
    },
    "20-day moving average, one symbol": {
      sqlite: `
        SELECT date, avg(close_price) OVER (ORDER BY date ROWS BETWEEN 19 PRECEDING AND CURRENT ROW)
        FROM price_history
        WHERE symbol = '^GSPC' AND interval = '1d'
        ORDER BY date`,
      timescale: `
        SELECT time, avg(close) OVER (ORDER BY time ROWS BETWEEN 19 PRECEDING AND CURRENT ROW)
        FROM price_history
        WHERE symbol = '^GSPC' AND "interval" = '1d'
        ORDER BY time`,
    },
  },
});
