import * as candlestick from "@grafana/grafana-foundation-sdk/candlestick";
import type * as cog from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import type { Panel, PanelQuery, PanelThreshold, PanelUnit } from "../../../migrations/dashboard.ts";
import { allSeries } from "../series.ts";
import { runbookFile } from "./runbook.ts";
import { postgresSource, prometheusSource } from "./sources.ts";

const unitIds: Record<PanelUnit, string> = {
  count: units.LocaleFormat,
  rows: units.LocaleFormat,
  bytes: units.BytesIEC,
  seconds: units.Seconds,
  "per second": units.OpsPerSecond,
  "rows per second": "rowsps",
  ratio: units.PercentUnit,
  percent: units.Percent,
  price: units.LocaleFormat,
  moment: units.DateTimeFromNow,
  flag: units.Short,
  none: units.Short,
};

const colours = { green: "green", amber: "orange", red: "red" } as const;

type AnyPanel = stat.PanelBuilder | timeseries.PanelBuilder | table.PanelBuilder | candlestick.PanelBuilder;

/** What a panel gets of its dashboard. */
export interface PanelPlace {
  id: number;
  /** Gives room of so many columns and rows. */
  place(width: number, height: number): sdk.GridPos;
  /** Address of the folder of runbooks. */
  runbooks?: string;
}

/** A panel of a dashboard. */
export function renderPanel(panel: Panel, { id, place, runbooks }: PanelPlace): cog.Builder<sdk.Panel> {
  const { title, description, show, unit, queries, columns = {}, decimals, thresholds = [], alert } = panel;
  const builder = kinds[show](thresholds);
  builder
    .id(id)
    .title(title)
    .description(alert ? `${description}\n\nRunbook: ${runbookFile(alert)}` : description)
    .gridPos(place(panel.width ?? (show === "number" ? 4 : 12), show === "number" ? 4 : 8))
    .unit(unitIds[unit])
    .noValue(panel.empty ?? reasonOfNone(queries) ?? "no data")
    .thresholds(thresholdsOf(thresholds));
  if (decimals !== undefined) builder.decimals(decimals);
  if (unit === "flag") builder.mappings([flags]);
  for (const [column, columnUnit] of Object.entries(columns)) {
    builder.overrideByName(column, [{ id: "unit", value: unitIds[columnUnit] }]);
  }
  queries.forEach((query, at) => {
    builder.withTarget(target(query, show, String.fromCharCode(65 + at)));
  });
  const [first] = queries;
  builder.datasource(first !== undefined && "sql" in first ? postgresSource : prometheusSource);
  if (alert && runbooks) {
    const link = new sdk.DashboardLinkBuilder(`Runbook: ${alert}`)
      .type(sdk.DashboardLinkType.Link)
      .url(new URL(runbookFile(alert).split("/").at(-1) as string, `${runbooks.replace(/\/*$/, "")}/`).href)
      .targetBlank(true);
    builder.links([link]);
  }
  return builder;
}

/** Why there may be nothing, where every series of the panel may be missing in a healthy stack. */
function reasonOfNone(queries: PanelQuery[]): string | undefined {
  const reasons = queries.map((query) => {
    const series = "promql" in query ? [...query.promql.matchAll(/timelift[:_][a-z0-9_]+/g)] : [];
    return series.map(([name]) => allSeries[name]?.emptyWhen).find((reason) => reason !== undefined);
  });
  return reasons.includes(undefined) ? undefined : reasons[0];
}

const flags: sdk.ValueMap = {
  type: sdk.MappingType.ValueToText,
  options: { "0": { text: "no", color: "red", index: 0 }, "1": { text: "yes", color: "green", index: 1 } },
};

const kinds: Record<Panel["show"], (thresholds: PanelThreshold[]) => AnyPanel> = {
  number: () =>
    new stat.PanelBuilder()
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false))
      .colorMode(common.BigValueColorMode.Value)
      .graphMode(common.BigValueGraphMode.None)
      .textMode(common.BigValueTextMode.Value),
  series: (thresholds) => lines(thresholds).drawStyle(common.GraphDrawStyle.Line).lineWidth(2).fillOpacity(8),
  bars: (thresholds) =>
    lines(thresholds)
      .drawStyle(common.GraphDrawStyle.Bars)
      .fillOpacity(70)
      .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal)),
  table: () => new table.PanelBuilder(),
  candles: () =>
    new candlestick.PanelBuilder()
      .mode(candlestick.VizDisplayMode.CandlesVolume)
      .candleStyle(candlestick.CandleStyle.Candles)
      .colorStrategy(candlestick.ColorStrategy.OpenClose),
};

function lines(thresholds: PanelThreshold[]): timeseries.PanelBuilder {
  const style =
    thresholds.length > 0 ? common.GraphThresholdsStyleMode.Dashed : common.GraphThresholdsStyleMode.Off;
  return new timeseries.PanelBuilder()
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(style))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
}

function thresholdsOf(thresholds: PanelThreshold[]): sdk.ThresholdsConfigBuilder {
  const steps = thresholds.map(({ from, colour }) => ({ value: from, color: colours[colour] }));
  const base = thresholds.length > 0 ? colours.green : "text";
  return new sdk.ThresholdsConfigBuilder()
    .mode(sdk.ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps]);
}

/** A query of the PostgreSQL data source, for which the SDK has no builder. */
interface SqlQuery extends cog.Dataquery {
  refId: string;
  datasource: typeof postgresSource;
  rawQuery: true;
  editorMode: "code";
  format: "table" | "time_series";
  rawSql: string;
}

function target(query: PanelQuery, show: Panel["show"], refId: string): cog.Builder<cog.Dataquery> {
  if ("promql" in query) {
    const builder = new prometheus.DataqueryBuilder()
      .refId(refId)
      .datasource(prometheusSource)
      .editorMode(prometheus.QueryEditorMode.Code)
      .expr(query.promql)
      .legendFormat(query.legend ?? "__auto");
    return show === "number" ? builder.instant() : builder.range();
  }
  const sql: SqlQuery = {
    ...{ refId, datasource: postgresSource, rawQuery: true, editorMode: "code" },
    format: show === "series" || show === "bars" ? "time_series" : "table",
    rawSql: query.sql,
    _implementsDataqueryVariant: () => undefined,
  };
  return { build: () => sql };
}
