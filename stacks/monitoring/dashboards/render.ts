import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dashboard, DashboardVariable } from "../../../migrations/dashboard.ts";
import { Grid } from "./grid.ts";
import { renderPanel } from "./render-panel.ts";
import { postgresSource, prometheusSource } from "./sources.ts";

/** What a dashboard's JSON depends on beside itself. */
export interface RenderArgs {
  /**
   * The day on which the data end, YYYY-MM-DD, where their source ended: dashboards that count in days look back from it.
   * @default today
   */
  until?: string;
  /**
   * Address of the folder of runbooks, to which panels link; each names its runbook in words as well.
   * @default no link
   */
  runbooks?: string;
}

const dayMs = 86_400_000;

/** Grafana's JSON of a dashboard, as text: the same declaration gives the same text. */
export function renderDashboard(dashboard: Dashboard, args: RenderArgs = {}): string {
  return `${JSON.stringify(build(dashboard, args), null, 2)}\n`;
}

function build(dashboard: Dashboard, args: RenderArgs): sdk.Dashboard {
  const { uid, title, description, variables = [], rows } = dashboard;
  const builder = new sdk.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["timelift"])
    .timezone("browser")
    .readonly()
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .refresh("hours" in dashboard.range ? "30s" : "5m")
    .time(rangeOf(dashboard, args))
    .link(
      new sdk.DashboardLinkBuilder("timelift")
        .type(sdk.DashboardLinkType.Dashboards)
        .tags(["timelift"])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(false),
    );
  for (const variable of variables) builder.withVariable(variableOf(variable));
  let id = 0;
  const next = () => ++id;
  const grid = new Grid();
  for (const row of rows) {
    builder.withRow(new sdk.RowBuilder(row.title).id(next()).gridPos(grid.heading()));
    for (const panel of row.panels) {
      const { runbooks } = args;
      builder.withPanel(renderPanel(panel, { id: next(), place: (w, h) => grid.place(w, h), runbooks }));
    }
  }
  return builder.build();
}

/** Days count back from the data's end, hours from now. */
function rangeOf({ range }: Dashboard, { until }: RenderArgs): { from: string; to: string } {
  if ("hours" in range) return { from: `now-${range.hours}h`, to: "now" };
  if (until === undefined) return { from: `now-${range.days}d`, to: "now" };
  const end = Date.parse(until) + dayMs;
  return { from: new Date(end - range.days * dayMs).toISOString(), to: new Date(end).toISOString() };
}

function variableOf({ name, label, values }: DashboardVariable): sdk.QueryVariableBuilder {
  const builder = new sdk.QueryVariableBuilder(name)
    .label(label)
    .refresh(sdk.VariableRefresh.OnDashboardLoad)
    .sort(sdk.VariableSort.Disabled)
    .multi(false)
    .includeAll(false);
  if ("sql" in values) return builder.datasource(postgresSource).query(values.sql);
  const query = `label_values(${values.series}, ${values.label})`;
  return builder.datasource(prometheusSource).query({ qryType: 1, query, refId: name });
}
