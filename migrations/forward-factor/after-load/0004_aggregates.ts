import { days, hours, minutes } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.continuousAggregate("signals_hourly", {
    from: "signals",
    bucket: "bucket",
    groupBy: ["ticker"],
    query: `
      SELECT time_bucket('1 hour', as_of_ts) AS bucket, ticker,
        count(*) AS signal_count, avg(ff_value) AS avg_ff
      FROM signals
      GROUP BY time_bucket('1 hour', as_of_ts), ticker`,
    refresh: { every: minutes(30), end: hours(1) },
  });
  db.continuousAggregate("signals_daily_summary", {
    from: "signals",
    bucket: "day",
    groupBy: ["ticker"],
    query: `
      SELECT time_bucket('1 day', as_of_ts) AS day, ticker,
        count(*) AS signal_count, avg(ff_value) AS avg_ff, max(ff_value) AS max_ff
      FROM signals
      GROUP BY time_bucket('1 day', as_of_ts), ticker`,
    refresh: { every: hours(1), end: days(1) },
  });
});

export const down = up.reverse;
