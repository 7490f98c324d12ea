import { chosen, type Dashboard } from "../../../migrations/dashboard.ts";
import { of, stack } from "./expression.ts";
import type { Limits } from "./limits.ts";

const ofWorkload = 'workload="$workload"';

/** How far the move is: load, rejects, validation, change capture, and whether all is ready for the cutover. */
export function migration({ lagSeconds }: Limits): Dashboard {
  const failed = of("timelift_validation_checks", ofWorkload, 'status="fail"');
  const rejects = of("timelift_rejects", ofWorkload);
  return {
    uid: "timelift-migration",
    title: "Migration",
    description: "How far the move from SQLite is: load, rejects, validation, change capture, cutover.",
    range: { hours: 6 },
    variables: [
      stack,
      {
        name: "workload",
        label: "Workload",
        values: { series: "timelift_load_rows_total", label: "workload" },
      },
    ],
    rows: [
      {
        title: "Cutover",
        panels: [
          {
            title: "Ready",
            description:
              "Yes where no check of the last validation failed, no row is rejected, and the validation is newer than the load.",
            show: "number",
            unit: "flag",
            queries: [
              {
                promql: `(sum by (workload) (${failed}) == bool 0)
* (sum by (workload) (${rejects}) == bool 0)
* (max by (workload) (${of("timelift_validation_finished_timestamp_seconds", ofWorkload)})
  >= bool max by (workload) (${of("timelift_load_finished_timestamp_seconds", ofWorkload)}))`,
              },
            ],
            thresholds: [
              { from: 0, colour: "red" },
              { from: 1, colour: "green" },
            ],
            empty: "not validated yet",
            alert: "ValidationFailed",
          },
          {
            title: "Failed checks",
            description: "Checks of the last validation that failed; timelift report says which.",
            show: "number",
            unit: "count",
            queries: [{ promql: `sum(${failed})` }],
            thresholds: [{ from: 1, colour: "red" }],
            empty: "not validated yet",
            alert: "ValidationFailed",
          },
          {
            title: "Rejected rows",
            description: "Rows of the source that are not in the target; timelift rejects says why.",
            show: "number",
            unit: "rows",
            queries: [{ promql: `sum(${rejects})` }],
            thresholds: [{ from: 1, colour: "amber" }],
            empty: "not loaded yet",
            alert: "RejectsPresent",
          },
          {
            title: "Last load",
            description: "When the last load ended well.",
            show: "number",
            unit: "moment",
            queries: [{ promql: `1000 * ${of("timelift_load_finished_timestamp_seconds", ofWorkload)}` }],
            empty: "not loaded yet",
          },
          {
            title: "Last validation",
            description: "When the last validation ended, whatever it found.",
            show: "number",
            unit: "moment",
            queries: [
              { promql: `1000 * ${of("timelift_validation_finished_timestamp_seconds", ofWorkload)}` },
            ],
            empty: "not validated yet",
          },
          {
            title: "Capture behind",
            description: "Age of the oldest change of the source that is not applied yet.",
            show: "number",
            unit: "seconds",
            queries: [{ promql: of("timelift_capture_lag_seconds", ofWorkload) }],
            thresholds: [
              { from: lagSeconds / 2, colour: "amber" },
              { from: lagSeconds, colour: "red" },
            ],
            alert: "ReplicationOrCaptureLag",
          },
        ],
      },
      {
        title: "Load",
        panels: [
          {
            title: "Rows loaded",
            description: "Rows that loads brought into each table, by the ledger.",
            show: "series",
            unit: "rows",
            queries: [{ promql: of("timelift_load_rows_total", ofWorkload), legend: "{{table}}" }],
          },
          {
            title: "Speed of the load",
            description: "Rows that are committed a second; 0 while no load runs.",
            show: "series",
            unit: "rows per second",
            queries: [
              {
                promql: `sum by (table) (rate(${of("timelift_load_rows_total", ofWorkload)}[$__rate_interval]))`,
                legend: "{{table}}",
              },
            ],
          },
          {
            title: "Parts done",
            description:
              "Parts of each table that are in the ledger: what an interrupted load need not do again.",
            show: "series",
            unit: "count",
            queries: [{ promql: of("timelift_load_parts_done", ofWorkload), legend: "{{table}}" }],
          },
          {
            title: "Rejected rows of each table",
            description: "Rows of the source that are not in the target.",
            show: "series",
            unit: "rows",
            queries: [{ promql: rejects, legend: "{{table}}" }],
            thresholds: [{ from: 1, colour: "amber" }],
            alert: "RejectsPresent",
          },
          {
            title: "Duration",
            description: "How long the last load and the last validation took.",
            show: "series",
            unit: "seconds",
            queries: [
              { promql: of("timelift_load_duration_seconds", ofWorkload), legend: "load" },
              { promql: of("timelift_validation_duration_seconds", ofWorkload), legend: "validation" },
            ],
          },
          {
            title: "Loads",
            description:
              "The last runs, from the ledger. One without an end was interrupted; the next went on from there.",
            show: "table",
            unit: "none",
            columns: { began: "moment", seconds: "seconds", rows: "rows", rejected: "rows" },
            queries: [
              {
                sql: `SELECT run.id AS run, extract(epoch FROM started_at) * 1000 AS began,
  extract(epoch FROM finished_at - started_at) AS seconds, coalesce(sum(part.rows), 0)::float8 AS rows,
  coalesce(sum(part.rejected), 0)::float8 AS rejected
FROM timelift.load_run AS run LEFT JOIN timelift.load_part AS part ON part.run = run.id
WHERE run.workload = ${chosen("workload")} GROUP BY run.id ORDER BY run.id DESC LIMIT 20`,
              },
            ],
          },
        ],
      },
      {
        title: "Validation and capture",
        panels: [
          {
            title: "Checks of the last validation",
            description: "By result. A skipped one says in the report why.",
            show: "series",
            unit: "count",
            queries: [{ promql: of("timelift_validation_checks", ofWorkload), legend: "{{status}}" }],
            empty: "not validated yet",
            alert: "ValidationFailed",
          },
          {
            title: "Rows compared",
            description: "Rows of the source that the last validation compared with the target.",
            show: "series",
            unit: "rows",
            queries: [{ promql: of("timelift_validation_compared_rows", ofWorkload), legend: "rows" }],
            empty: "not validated yet",
          },
          {
            title: "Capture lag",
            description: "Age of the oldest change of the source that is not applied yet.",
            show: "series",
            unit: "seconds",
            queries: [{ promql: of("timelift_capture_lag_seconds", ofWorkload), legend: "lag" }],
            thresholds: [{ from: lagSeconds, colour: "red" }],
            alert: "ReplicationOrCaptureLag",
          },
          {
            title: "Changes waiting",
            description: "Changes of the source that are not applied yet.",
            show: "series",
            unit: "count",
            queries: [{ promql: of("timelift_capture_pending_changes", ofWorkload), legend: "changes" }],
            alert: "ReplicationOrCaptureLag",
          },
        ],
      },
    ],
  };
}
