import type { Dashboard, Panel } from "../migrations/dashboard.ts";

/** Every panel of some dashboards, with what names it in a failure. */
export function panelsOf(dashboards: Dashboard[]): { name: string; dashboard: Dashboard; panel: Panel }[] {
  return dashboards.flatMap((dashboard) =>
    dashboard.rows.flatMap(({ panels }) =>
      panels.map((panel) => ({ name: `${dashboard.uid}: ${panel.title}`, dashboard, panel })),
    ),
  );
}

/** An expression as Grafana sends it to Prometheus. */
export function filledPromQl(promql: string, values: Record<string, string> = {}): string {
  return promql
    .replaceAll("$__rate_interval", "1m")
    .replace(/\$(\w+)/g, (text, name: string) => values[name] ?? text);
}

/** A query as Grafana sends it to PostgreSQL. */
export function filledSql(
  sql: string,
  range: { from: string; to: string },
  values: Record<string, string>,
): string {
  return sql
    .replace(/\$__timeFilter\(([^)]+)\)/g, `$1 BETWEEN '${range.from}' AND '${range.to}'`)
    .replace(
      /\$\{(\w+):sqlstring\}/g,
      (_, name: string) => `'${(values[name] ?? "").replaceAll("'", "''")}'`,
    );
}
