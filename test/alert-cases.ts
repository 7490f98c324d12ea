import type { AlertName } from "../stacks/monitoring/alert-rules.ts";

/** What an alert makes of samples, one a minute, of what exporters say. */
export interface AlertCase {
  alert: AlertName;
  title: string;
  /** Series -> values in promtool's notation: `1x4 0x9` is five times 1, then ten times 0. */
  input: Record<string, string>;
  /** Minutes at which it does not fire yet, fires, and fires no more. */
  quiet: number;
  fires: number;
  resolved: number;
  /** Labels of the alert besides stack and severity. */
  labels: Record<string, string>;
  summary: string;
  description: string;
}

const at = 'stack="prod"';
const short = (healthy: number, ill: number) => `${healthy}x4 ${ill}x9 ${healthy}x20`;
const shortly = { quiet: 4, fires: 12, resolved: 16 };

/** Ten runs a minute of 0.1 s each for 20 minutes, then of 2 s each for 20, then of 0.1 s. */
const slowQueries = (user: string) => ({
  [`timelift_statement_calls_total{${at}, user="${user}", queryid="1"}`]: "0+10x80",
  [`timelift_statement_seconds_total{${at}, user="${user}", queryid="1"}`]: "0+1x20 40+20x19 421+1x39",
  [`timelift_statement_seconds_squared_total{${at}, user="${user}", queryid="1"}`]:
    "0+0.1x20 42+40x19 802.1+0.1x39",
});

/** Each alert: that it does not fire, fires and ends. */
export const alertCases: AlertCase[] = [
  {
    alert: "DatabaseDown",
    title: "the exporter cannot log in",
    input: { [`pg_up{${at}, job="postgres"}`]: short(1, 0) },
    ...shortly,
    labels: {},
    summary: "The database of prod does not answer",
    description: "Monitoring cannot log in to the database: timelift:database_up is 0.",
  },
  {
    alert: "TargetDown",
    title: "an exporter is gone",
    input: { [`up{${at}, job="redis", instance="127.0.0.1:1"}`]: short(1, 0) },
    ...shortly,
    labels: { job: "redis" },
    summary: "Nothing is known of redis in prod",
    description: "The exporter of redis does not answer, so the alerts that read it are blind: up is 0.",
  },
  {
    alert: "QueryLatencyHigh",
    title: "the application's queries take two seconds",
    input: slowQueries("timelift_app"),
    ...{ quiet: 20, fires: 34, resolved: 50 },
    labels: {},
    summary: "Queries of prod are slow",
    description: "The 95th percentile of the application's queries is 2.45s, above 1 s.",
  },
  {
    alert: "DataStaleness",
    title: "a row has been due for more than a day",
    input: { [`timelift_table_behind_seconds{${at}, workload="w", table="t"}`]: "0x10 90000x20 0x10" },
    ...{ quiet: 15, fires: 25, resolved: 33 },
    labels: { workload: "w", table: "t" },
    summary: "t of prod gets no new rows",
    description: "The next row of t (w) has been due for 1d 1h 0m 0s, more than 86400 s.",
  },
  {
    alert: "ConnectionPoolSaturated",
    title: "19 of 20 server connections are busy",
    input: {
      [`pgbouncer_pools_server_active_connections{${at}, database="app", user="timelift_app"}`]: short(2, 19),
      [`pgbouncer_databases_pool_size{${at}, database="app", name="app"}`]: "20x40",
      [`pgbouncer_databases_pool_size{${at}, database="pgbouncer", name="pgbouncer"}`]: "2x40",
    },
    ...shortly,
    labels: { user: "timelift_app" },
    summary: "The pool of prod has no connections left for timelift_app",
    description: "95% of the server connections of timelift_app are busy, more than 90%.",
  },
  {
    alert: "ReplicationOrCaptureLag",
    title: "a replica is behind",
    input: { [`timelift_replica_lag_seconds{${at}, replica="b"}`]: short(0, 600) },
    ...shortly,
    labels: { of: "replica b", replica: "b" },
    summary: "The replica b of prod is behind",
    description: "The replica b is 10m 0s behind, more than 300 s.",
  },
  {
    alert: "ReplicationOrCaptureLag",
    title: "captured changes wait",
    input: { [`timelift_capture_lag_seconds{${at}, workload="w"}`]: short(0, 600) },
    ...shortly,
    labels: { of: "capture of w", workload: "w" },
    summary: "The capture of w of prod is behind",
    description: "The capture of w is 10m 0s behind, more than 300 s.",
  },
  {
    alert: "JobFailing",
    title: "a scheduled task failed",
    input: {
      [`timelift_job_failing{${at}, job="postgres", name="refresh d", scheduler="pg_cron"}`]: short(0, 1),
    },
    ...shortly,
    labels: { job: "refresh d", scheduler: "pg_cron" },
    summary: "The job refresh d of prod fails",
    description:
      "The last run of refresh d, by pg_cron, failed, or it was passed over: timelift:job_failing is 1.",
  },
  {
    alert: "ChunkNotCompressed",
    title: "three chunks are passed over",
    input: { [`timelift_hypertable_overdue_chunks{${at}, hypertable="t"}`]: "0x10 3x100 0x20" },
    ...{ quiet: 60, fires: 80, resolved: 115 },
    labels: { hypertable: "t" },
    summary: "Chunks of t in prod stay uncompressed",
    description: "3 chunks of t are older than its columnstore policy allows and not compressed.",
  },
  {
    alert: "DiskFilling",
    title: "a disk loses 100 MB a minute",
    input: {
      [`node_filesystem_avail_bytes{${at}, mountpoint="/"}`]:
        "30000000000x60 29900000000-100000000x99 60000000000x60",
      [`node_filesystem_size_bytes{${at}, mountpoint="/"}`]: "100000000000x300",
    },
    ...{ quiet: 60, fires: 150, resolved: 165 },
    labels: {},
    summary: "The disk of prod fills up",
    description: "19.56GiB are free; at the pace of the last 6 hours 0B will be in a day.",
  },
  {
    alert: "ValidationFailed",
    title: "two checks failed",
    input: {
      [`timelift_validation_checks{${at}, workload="w", status="fail"}`]: short(0, 2),
      [`timelift_validation_checks{${at}, workload="w", status="pass"}`]: "7x40",
    },
    ...shortly,
    labels: { workload: "w" },
    summary: "Rows of w in prod are not those of the source",
    description: "2 checks of the last validation of w failed.",
  },
  {
    alert: "RejectsPresent",
    title: "three rows were rejected",
    input: { [`timelift_rejects{${at}, workload="w", table="t"}`]: short(0, 3) },
    ...shortly,
    labels: { workload: "w", table: "t" },
    summary: "Rows of t in prod were rejected",
    description: "3 rows of t (w) did not fit and are missing in the target.",
  },
];

/** What looks like trouble and is none: no alert at all may come of it, at any minute. */
export const quietCases: { title: string; input: Record<string, string> }[] = [
  {
    title: "slow queries of loads and migrations",
    input: { ...slowQueries("timelift_loader"), [`pg_up{${at}}`]: "1x80" },
  },
  {
    title: "nothing runs at all",
    input: { [`pg_up{${at}}`]: "1x80" },
  },
  {
    title: "NULL of the database, which is NaN here",
    input: {
      [`timelift_hypertable_overdue_chunks{${at}, hypertable="t"}`]: Array(80).fill("NaN").join(" "),
      [`timelift_table_behind_seconds{${at}, workload="w", table="t"}`]: Array(80).fill("NaN").join(" "),
      [`timelift_job_failing{${at}, name="j", scheduler="timescaledb"}`]: Array(80).fill("NaN").join(" "),
    },
  },
  {
    title: "a short spell of each",
    input: {
      [`timelift_job_failing{${at}, name="j", scheduler="pg_cron"}`]: "0x5 1x3 0x70",
      [`up{${at}, job="redis"}`]: "1x5 0x3 1x70",
      [`timelift_table_behind_seconds{${at}, workload="w", table="t"}`]: "0x5 90000x5 0x70",
    },
  },
  {
    title: "a disk that fills to a level and stays",
    input: {
      [`node_filesystem_avail_bytes{${at}, mountpoint="/"}`]: "90000000000x10 85000000000x70",
      [`node_filesystem_size_bytes{${at}, mountpoint="/"}`]: "100000000000x80",
    },
  },
];
