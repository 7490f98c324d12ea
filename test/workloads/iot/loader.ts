import { z } from "zod";
import { defineLoader, drop, epoch, expression, lookup, none } from "../../../loaders/define-loader.ts";

/** `timelift:workloadOptions` of iot. */
export const options = z.strictObject({
  /** Span of a bucket of `readings_summary`. */
  summary: z.enum(["1 minute", "5 minutes", "15 minutes"]).default("5 minutes"),
});

export default defineLoader({
  tables: {
    devices: {
      columns: {
        battery: { empty: "null" }, // '' where a device hangs on the mains
        last_seen: { read: epoch("ms") },
        firmware: drop,
        firmware_at: drop,
      },
      derive: { mains_powered: expression("battery = ''") },
    },
    firmware_installs: {
      from: "devices",
      where: "firmware IS NOT NULL",
      rest: drop,
      columns: {
        device: "device",
        firmware: "version",
        firmware_at: { to: "installed", read: epoch("s") },
      },
    },
    readings: { columns: { ts: { to: "taken", read: epoch("ms") } } },
    alarms: {
      columns: { raised_at: { to: "raised", read: epoch("ms") } },
      derive: { taken: lookup("readings", { message_id: "message_id" }, "ts", { read: epoch("ms") }) },
    },
    limits: { from: none }, // new; dashboards fill it
  },
  queries: {
    "one device, one metric, one day": {
      sqlite: `
        SELECT datetime(ts / 1000.0, 'unixepoch', 'subsec'), value
        FROM readings
        WHERE site = 'berlin' AND device = 'berlin-1' AND metric = 'temperature'
          AND ts >= 1740873600000 AND ts < 1740960000000
        ORDER BY ts`,
      timescale: `
        SELECT taken, value
        FROM readings
        WHERE site = 'berlin' AND device = 'berlin-1' AND metric = 'temperature'
          AND taken >= '2025-03-02+00' AND taken < '2025-03-03+00'
        ORDER BY taken`,
    },
    "means by hour, every device": {
      analytical: true,
      sqlite: `
        SELECT device, metric, datetime(ts / 3600000 * 3600, 'unixepoch') AS hour, count(value), avg(value)
        FROM readings
        GROUP BY device, metric, hour
        ORDER BY device, metric, hour`,
      timescale: `
        SELECT device, metric, hour, samples, total / samples
        FROM readings_hourly
        ORDER BY device COLLATE "C", metric COLLATE "C", hour`,
    },
    "latest reading, every device": {
      analytical: true,
      sqlite: `
        SELECT device, metric, datetime(max(ts) / 1000.0, 'unixepoch', 'subsec'), value
        FROM readings
        GROUP BY device, metric
        ORDER BY device, metric`,
      timescale: `
        SELECT device, metric, max(taken), last(value, taken)
        FROM readings
        GROUP BY device, metric
        ORDER BY device COLLATE "C", metric COLLATE "C"`,
    },
  },
});
