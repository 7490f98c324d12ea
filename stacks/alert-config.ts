import { z } from "zod";

const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, "a day as YYYY-MM-DD");
const count = (standard: number) => z.number().min(0).default(standard);
const share = (standard: number) => z.number().min(0).max(1).default(standard);

const schema = z.strictObject({
  /** Table -> the day on which its source ended: no newer row is expected of it. */
  expectedUntil: z.record(z.string(), day).default({}),
  /** QueryLatencyHigh: 95th percentile of the run time of the application's queries, in seconds. */
  queryP95Seconds: count(1),
  /** DataStaleness: how long a table's next row may have been due, in seconds. */
  stalenessSeconds: count(86_400),
  /** ConnectionPoolSaturated: share of a pool's server connections that may be active. */
  poolUsedRatio: share(0.9),
  /** ReplicationOrCaptureLag: lag of a replica, and age of the oldest captured change not applied, in seconds. */
  lagSeconds: count(300),
  /** ChunkNotCompressed: chunks of a hypertable that the columnstore policy may have passed over. */
  overdueChunks: count(0),
  /** DiskFilling: share of the disk below which a prediction counts; a tenth of it alerts by itself. */
  diskFreeRatio: share(0.4),
  /** RejectsPresent: rejected rows that a table may have. */
  rejects: count(0),
  /**
   * How often metrics are read and rules looked at, in seconds. Of a database that is gone, its exporter tells after a
   * second: with a shorter interval it would not be heard.
   */
  intervalSeconds: z.number().int().min(2).default(15),
  /** How far back rates look, in seconds; at least four intervals. */
  windowSeconds: z.number().int().min(4).default(300),
  /** How long an alert waits before it is sent, as a multiple of its own time; 0 sends at once. */
  patience: count(1),
});

/** `timelift:alerts`: what a stack demands of itself before it wakes somebody. */
export const alerts = schema.prefault({});
export type AlertConfig = z.infer<typeof alerts>;
export const alertNames = Object.keys(schema.shape);
