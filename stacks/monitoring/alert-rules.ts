import type { AlertConfig } from "../alert-config.ts";
import type { Severity } from "../services/alertmanager.ts";
import { runbookFile } from "./dashboards/runbook.ts";

/** Every alert that there is. */
export const alertNames = [
  "DatabaseDown",
  "TargetDown",
  "QueryLatencyHigh",
  "DataStaleness",
  "ConnectionPoolSaturated",
  "ReplicationOrCaptureLag",
  "JobFailing",
  "ChunkNotCompressed",
  "DiskFilling",
  "ValidationFailed",
  "RejectsPresent",
] as const;
export type AlertName = (typeof alertNames)[number];

/** What a dead database causes or hides: held back while DatabaseDown fires. */
export const alertsOfDatabase: AlertName[] = [
  "QueryLatencyHigh",
  "DataStaleness",
  "ConnectionPoolSaturated",
  "ReplicationOrCaptureLag",
  "JobFailing",
  "ChunkNotCompressed",
  "ValidationFailed",
  "RejectsPresent",
];

/** When somebody is told, and what. */
export interface Alert {
  severity: Severity;
  /** Over recorded series and timelift's own alone. */
  expr: string;
  /** How long it has to hold, in seconds. */
  forSeconds: number;
  /** One line; a template of Prometheus. */
  summary: string;
  /** What is, with the value. */
  description: string;
}

const minutes = (count: number) => count * 60;

/** The alerts of a stack, by its thresholds. */
export function alertRules(limits: AlertConfig): Record<AlertName, Alert> {
  const { queryP95Seconds, stalenessSeconds, poolUsedRatio, lagSeconds, overdueChunks, rejects } = limits;
  const free = "timelift:disk_free_bytes / timelift:disk_size_bytes";
  return {
    DatabaseDown: {
      severity: "critical",
      expr: "timelift:database_up == 0",
      forSeconds: minutes(1),
      summary: "The database of {{ $labels.stack }} does not answer",
      description: "Monitoring cannot log in to the database: timelift:database_up is {{ $value }}.",
    },
    TargetDown: {
      severity: "warning",
      expr: "timelift:target_up == 0",
      forSeconds: minutes(5),
      summary: "Nothing is known of {{ $labels.job }} in {{ $labels.stack }}",
      description:
        "The exporter of {{ $labels.job }} does not answer, so the alerts that read it are blind: up is {{ $value }}.",
    },
    QueryLatencyHigh: {
      severity: "warning",
      expr: `timelift:query_p95_seconds > ${queryP95Seconds}`,
      forSeconds: minutes(5),
      summary: "Queries of {{ $labels.stack }} are slow",
      description: `The 95th percentile of the application's queries is {{ $value | humanizeDuration }}, above ${queryP95Seconds} s.`,
    },
    DataStaleness: {
      severity: "warning",
      expr: `timelift:table_behind_seconds > ${stalenessSeconds}`,
      forSeconds: minutes(10),
      summary: "{{ $labels.table }} of {{ $labels.stack }} gets no new rows",
      description: `The next row of {{ $labels.table }} ({{ $labels.workload }}) has been due for {{ $value | humanizeDuration }}, more than ${stalenessSeconds} s.`,
    },
    ConnectionPoolSaturated: {
      severity: "warning",
      expr: `timelift:pooler_used_ratio > ${poolUsedRatio}`,
      forSeconds: minutes(2),
      summary: "The pool of {{ $labels.stack }} has no connections left for {{ $labels.user }}",
      description: `{{ $value | humanizePercentage }} of the server connections of {{ $labels.user }} are busy, more than ${poolUsedRatio * 100}%.`,
    },
    ReplicationOrCaptureLag: {
      severity: "warning",
      expr: `label_replace(timelift:replication_lag_seconds > ${lagSeconds}, "of", "replica $1", "replica", "(.*)") or label_replace(max by (stack, workload) (timelift_capture_lag_seconds) > ${lagSeconds}, "of", "capture of $1", "workload", "(.*)")`,
      forSeconds: minutes(2),
      summary: "The {{ $labels.of }} of {{ $labels.stack }} is behind",
      description: `The {{ $labels.of }} is {{ $value | humanizeDuration }} behind, more than ${lagSeconds} s.`,
    },
    JobFailing: {
      severity: "warning",
      expr: "timelift:job_failing == 1",
      forSeconds: minutes(5),
      summary: "The job {{ $labels.job }} of {{ $labels.stack }} fails",
      description:
        "The last run of {{ $labels.job }}, by {{ $labels.scheduler }}, failed, or it was passed over: timelift:job_failing is {{ $value }}.",
    },
    ChunkNotCompressed: {
      severity: "warning",
      expr: `timelift:hypertable_overdue_chunks > ${overdueChunks}`,
      forSeconds: minutes(60),
      summary: "Chunks of {{ $labels.hypertable }} in {{ $labels.stack }} stay uncompressed",
      description:
        "{{ $value }} chunks of {{ $labels.hypertable }} are older than its columnstore policy allows and not compressed.",
    },
    DiskFilling: {
      severity: "critical",
      expr: `(timelift:disk_free_in_a_day_bytes == 0 and ${free} < ${limits.diskFreeRatio}) or timelift:disk_free_bytes < ${limits.diskFreeRatio / 10} * timelift:disk_size_bytes`,
      forSeconds: minutes(30),
      summary: "The disk of {{ $labels.stack }} fills up",
      description:
        "{{ with printf `timelift:disk_free_bytes{stack='%s'}` $labels.stack | query }}{{ . | first | value | humanize1024 }}B{{ end }} are free; at the pace of the last 6 hours {{ $value | humanize1024 }}B will be in a day.",
    },
    ValidationFailed: {
      severity: "critical",
      expr: `max by (stack, workload) (timelift_validation_checks{status="fail"}) > 0`,
      forSeconds: 0,
      summary: "Rows of {{ $labels.workload }} in {{ $labels.stack }} are not those of the source",
      description: "{{ $value }} checks of the last validation of {{ $labels.workload }} failed.",
    },
    RejectsPresent: {
      severity: "warning",
      expr: `sum by (stack, workload, table) (timelift_rejects) > ${rejects}`,
      forSeconds: 0,
      summary: "Rows of {{ $labels.table }} in {{ $labels.stack }} were rejected",
      description:
        "{{ $value }} rows of {{ $labels.table }} ({{ $labels.workload }}) did not fit and are missing in the target.",
    },
  };
}

/** Where the runbooks are, and how long alerts wait. */
export interface RenderedAlert {
  alert: AlertName;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** The alerts as Prometheus reads them. */
export function renderAlerts(config: AlertConfig): RenderedAlert[] {
  return Object.entries(alertRules(config)).map(
    ([name, { severity, expr, forSeconds, summary, description }]) => ({
      alert: name as AlertName,
      expr,
      for: `${Math.round(forSeconds * config.patience)}s`,
      labels: { severity },
      annotations: { summary, description, runbook: runbookFile(name) },
    }),
  );
}
