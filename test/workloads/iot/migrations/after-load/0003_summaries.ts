import { hours, minutes } from "../../../../../migrations/interval.ts";
import { timescale } from "../../../../../migrations/timescale.ts";
import { options } from "../../loader.ts";

export const up = timescale((db, given) => {
  const { summary } = options.parse(given);
  db.continuousAggregate("readings_summary", {
    from: "readings",
    bucket: "bucket",
    groupBy: ["device", "metric"],
    query: `
      SELECT device, metric, time_bucket('${summary}', taken) AS bucket,
        count(value) AS samples, sum(value) AS total, min(value) AS least, max(value) AS most
      FROM readings
      GROUP BY device, metric, time_bucket('${summary}', taken)`,
    refresh: { every: minutes(15), end: minutes(30) },
  });
  db.continuousAggregate("readings_hourly", {
    from: "readings_summary",
    bucket: "hour",
    groupBy: ["device", "metric"],
    query: `
      SELECT device, metric, time_bucket('1 hour', bucket) AS hour,
        sum(samples)::bigint AS samples, sum(total) AS total, min(least) AS least, max(most) AS most
      FROM readings_summary
      GROUP BY device, metric, time_bucket('1 hour', bucket)`,
    refresh: { every: hours(1), end: hours(2) },
  });
});

export const down = up.reverse;
