/** What a panel's numbers measure in; a table's other columns say theirs in `columns`. */
export type PanelUnit =
  | "count"
  | "rows"
  | "bytes"
  | "seconds"
  | "per second"
  | "rows per second"
  | "ratio"
  | "percent"
  | "price"
  | "moment"
  | "flag"
  | "none";

/** From this value on a panel shows the colour; below the first one it is green. */
export interface PanelThreshold {
  from: number;
  colour: "green" | "amber" | "red";
}

/**
 * A question whose answer is drawn. SQL is asked as the role that reads: `$__timeFilter(column)` stands for the
 * dashboard's time range, `chosen(name)` for the value of a variable. A series over time names
 * its columns `time`, `metric` (text, where there are several) and a value; a candlestick chart has `time`, `open`,
 * `high`, `low`, `close` and `volume`.
 */
export type PanelQuery = { sql: string } | { promql: string; legend?: string };

/** The chosen value of a variable, in SQL: a string, quoted. */
export function chosen(variable: string): string {
  return `\${${variable}:sqlstring}`;
}

/** One panel. */
export interface Panel {
  title: string;
  /** What it shows and what to think of it, in a sentence or two. */
  description: string;
  /** `number` is one value in large type, `series` lines over time. */
  show: "number" | "series" | "table" | "bars" | "candles";
  unit: PanelUnit;
  queries: PanelQuery[];
  /** Unit of columns of a table that differ from the panel's. @default {} */
  columns?: Record<string, PanelUnit>;
  /** Places behind the point. @default as many as the value asks for */
  decimals?: number;
  /** @default none: one colour */
  thresholds?: PanelThreshold[];
  /** Columns of 24. @default 4 for a number, else 12 */
  width?: number;
  /** Said where there is nothing to show, and why that may be well. @default "no data" */
  empty?: string;
  /** The alert whose runbook says what to do about it. */
  alert?: string;
}

/** Values by which a dashboard is narrowed; one is chosen at a time, the first at first. */
export interface DashboardVariable {
  name: string;
  label: string;
  /** Either rows of one column, or a label of a series. */
  values: { sql: string } | { series: string; label: string };
}

/** One page of panels, as data; Grafana's JSON is made of it. */
export interface Dashboard {
  /** Lower-case letters, digits and dashes, at most 40; unique, and part of its address. */
  uid: string;
  title: string;
  description: string;
  /** How far back it looks at first. */
  range: { hours: number } | { days: number };
  /** @default none */
  variables?: DashboardVariable[];
  /** Panels under headings, in the order in which they are read. */
  rows: { title: string; panels: Panel[] }[];
}

/**
 * Declares the dashboards of a workload: the default export of `migrations/<workload>/dashboards.ts`, or of
 * `dashboards.ts` in the folder of a workload kept elsewhere.
 */
export function defineDashboards(dashboards: Dashboard[]): Dashboard[] {
  return dashboards;
}
