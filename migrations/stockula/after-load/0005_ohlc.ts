import { days, hours } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  const refresh = { every: hours(1), end: hours(1) };
  db.continuousAggregate("ohlc_daily", {
    from: "price_history",
    bucket: "date",
    groupBy: ["symbol"],
    query: `
      SELECT symbol, time_bucket('1 day', time) AS date,
        first(open, time) AS open, max(high) AS high, min(low) AS low, last(close, time) AS close, sum(volume) AS volume
      FROM price_history
      WHERE "interval" = '1d'
      GROUP BY symbol, time_bucket('1 day', time)`,
    refresh,
    indexes: [["date desc"]],
  });
  for (const [name, bucket] of [
    ["ohlc_weekly", "7 days"],
    ["ohlc_monthly", "1 month"],
  ] as const) {
    db.continuousAggregate(name, {
      from: "ohlc_daily",
      bucket: "date",
      groupBy: ["symbol"],
      query: `
        SELECT symbol, time_bucket('${bucket}', date) AS date,
          first(open, date) AS open, max(high) AS high, min(low) AS low, last(close, date) AS close, sum(volume) AS volume
        FROM ohlc_daily
        GROUP BY symbol, time_bucket('${bucket}', date)`,
      refresh: { every: days(1), end: days(1) },
      indexes: [["date desc"]],
    });
  }
});

export const down = up.reverse;
