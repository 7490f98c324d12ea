import type { Dashboard, Panel } from "../../migrations/dashboard.ts";

/** Dashboard -> heading -> Prometheus' own page with the expressions of the panels below it. */
export type PrometheusLinks = Record<string, Record<string, string>>;

/** What stands for the variables of a dashboard. */
export interface LinkArgs {
  /** Address of Prometheus. */
  prometheusUrl: string;
  /** Variable -> value. */
  values: Record<string, string>;
}

/**
 * Links into Prometheus' own page, for where there is no Grafana: each opens a graph of every expression of one heading,
 * with the panel's title behind it as a comment. Panels that ask the database are left out.
 */
export function prometheusLinks(dashboards: Dashboard[], args: LinkArgs): PrometheusLinks {
  const entries = dashboards.flatMap((dashboard) => {
    const hours = "hours" in dashboard.range ? dashboard.range.hours : dashboard.range.days * 24;
    const rows = dashboard.rows.flatMap(({ title, panels }) => {
      const expressions = panels.flatMap((panel) => expressionsOf(panel, args.values));
      return expressions.length === 0 ? [] : [[title, pageOf(args.prometheusUrl, expressions, hours)]];
    });
    return rows.length === 0 ? [] : [[dashboard.title, Object.fromEntries(rows)]];
  });
  return Object.fromEntries(entries);
}

function expressionsOf({ title, queries }: Panel, values: Record<string, string>): string[] {
  return queries.flatMap((query) => {
    if (!("promql" in query)) return [];
    const filled = query.promql
      .replaceAll("$__rate_interval", "5m")
      .replace(/\$(\w+)/g, (text, name: string) => values[name] ?? text);
    return [`${filled} # ${title}`];
  });
}

function pageOf(prometheusUrl: string, expressions: string[], hours: number): string {
  const graphs = expressions.flatMap((expression, at) => [
    [`g${at}.expr`, expression],
    [`g${at}.tab`, "0"],
    [`g${at}.range_input`, `${hours}h`],
  ]);
  return `${prometheusUrl}/graph?${new URLSearchParams(graphs as [string, string][])}`;
}
