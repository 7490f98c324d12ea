import { literal } from "../../migrations/literal.ts";
import { counter, gauge, label, type MetricQuery } from "./query.ts";
import { type OwnName, own } from "./series.ts";

/**
 * What timelift says of itself, read from its schema in the target: the ledger, and the result of the last validation.
 * It outlives the command that wrote it, and whoever asks gets the same, from any machine: no text file and no push
 * has to reach a Prometheus.
 */
export interface OwnQuery {
  /** The table that it reads; there is none before the first load. */
  table: string;
  /** The columns that are labels. */
  labels: readonly string[];
  /** Column -> the metric of which it is the value. */
  values: Record<string, OwnName>;
  sql: string;
}

const perTable = ["workload", "table"] as const;
const epoch = (column: string) => `extract(epoch FROM ${column})::float8`;
const lastRun = `(SELECT DISTINCT ON (workload) workload, started_at, finished_at FROM timelift.load_run
  WHERE finished_at IS NOT NULL ORDER BY workload, id DESC)`;

/** Every query, by a name of its own. The role needs no more than SELECT on the tables named. */
export const ownQueries = {
  load: {
    table: "timelift.load_part",
    labels: perTable,
    values: {
      rows_total: "timelift_load_rows_total",
      parts_done: "timelift_load_parts_done",
      rejects: "timelift_rejects",
    },
    sql: `SELECT workload, table_name AS "table", sum(rows)::float8 AS rows_total, count(*)::float8 AS parts_done,
  sum(rejected)::float8 AS rejects FROM timelift.load_part GROUP BY 1, 2`,
  },
  lastLoad: {
    table: "timelift.load_run",
    labels: ["workload"],
    values: {
      finished: "timelift_load_finished_timestamp_seconds",
      seconds: "timelift_load_duration_seconds",
    },
    sql: `SELECT workload, ${epoch("finished_at")} AS finished, ${epoch("finished_at - started_at")} AS seconds
FROM ${lastRun} AS last`,
  },
  validationChecks: {
    table: "timelift.validation",
    labels: ["workload", "status"],
    values: { checks: "timelift_validation_checks" },
    sql: `SELECT workload, s.status, s.checks::float8 AS checks FROM timelift.validation,
  LATERAL (VALUES ('pass', passed), ('fail', failed), ('skip', skipped)) AS s(status, checks)`,
  },
  validation: {
    table: "timelift.validation",
    labels: ["workload"],
    values: {
      finished: "timelift_validation_finished_timestamp_seconds",
      seconds: "timelift_validation_duration_seconds",
      rows: "timelift_validation_compared_rows",
    },
    sql: `SELECT workload, ${epoch("finished_at")} AS finished, ms / 1000.0::float8 AS seconds, rows::float8 AS rows
FROM timelift.validation`,
  },
  capture: {
    table: "timelift.sync_status",
    labels: ["workload"],
    values: { lag: "timelift_capture_lag_seconds", pending: "timelift_capture_pending_changes" },
    // One that nobody looks after falls behind with the time.
    sql: `SELECT workload, greatest(lag_seconds, ${epoch("now() - seen_at")}) AS lag,
  (last_seq - applied_seq)::float8 AS pending FROM timelift.sync_status`,
  },
} as const satisfies Record<string, OwnQuery>;

/** What Prometheus calls a metric that only grows. */
export function kindOf(name: OwnName): "counter" | "gauge" {
  return name.endsWith("_total") ? "counter" : "gauge";
}

/**
 * The queries as the PostgreSQL exporter takes them. It makes a metric's name of the query's and the column's, so each
 * metric is a query of its own, split at its last underscore.
 */
export function exporterQueries(): MetricQuery[] {
  return Object.values<OwnQuery>(ownQueries).flatMap(({ table, labels, values, sql }) =>
    Object.entries(values).map(([column, metric]) => {
      const at = metric.lastIndexOf("_");
      const [name, suffix] = [metric.slice(0, at), metric.slice(at + 1)];
      const names = labels.map((each) => `"${each}"`).join(", ");
      const selected = `SELECT ${names}, "${column}" AS "${suffix}" FROM (${sql}) AS q`;
      return {
        name,
        sql: whereThere(table, [...labels.map((each) => `"${each}" text`), `"${suffix}" float8`], selected),
        cacheSeconds: 0,
        columns: {
          ...Object.fromEntries(labels.map((each) => [each, label(each)])),
          [suffix]: (kindOf(metric) === "counter" ? counter : gauge)(own[metric].help),
        },
      };
    }),
  );
}

/**
 * A query that has no rows, in place of an error, where its table is not there yet or may not be read: before the first
 * load, and without change capture. PostgreSQL looks for the tables of a statement before it runs any of it, so the
 * query is a text that it may come to run.
 */
function whereThere(table: string, columns: string[], sql: string): string {
  const paths = columns.map((column) => `${column} PATH ${literal(/"(\w+)"/.exec(column)?.[1] ?? "")}`);
  return `SELECT x.* FROM (SELECT FROM to_regclass(${literal(table)}) AS t(oid) WHERE has_table_privilege(t.oid, 'SELECT')) AS there,
  LATERAL xmltable('/table/row' PASSING query_to_xml(${literal(sql)}, false, false, '') COLUMNS ${paths.join(", ")}) AS x`;
}
