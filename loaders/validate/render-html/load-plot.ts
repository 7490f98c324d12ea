import type { LoadHistory, TableLoad } from "../../validation-report.ts";
import { axis } from "./axis.ts";
import { html, type Markup } from "./markup.ts";
import { linear, type Scale } from "./scale.ts";
import { counted, duration, rough } from "./wording.ts";

/** Tables that have a plot of their own, and the share of all rows below which none has one: it would be empty. */
const mostTables = 8;
const leastShare = 0.005;

/** A table with less of all rows does not set the scale: its few rows come at once. */
const smallShare = 0.05;

/** Share of the axis below which a step cannot be seen. */
const shortest = 0.005;

/** Rows that came in between two commits. */
interface Step {
  from: number;
  to: number;
  rows: number;
}

/** Rows per second of each table, over the time of the load. */
export function loadPlot(load: LoadHistory | undefined): Markup {
  if (load === undefined) return html``;
  const tables = load.tables.toSorted((a, b) => rowsOf(b) - rowsOf(a));
  return html`
<section aria-labelledby="load">
  <h2 id="load">The load</h2>${tables.length === 0 ? html`<p>There is no plot of the load: ${load.missing}.</p>` : plots(tables)}
</section>`;
}

function plots(tables: TableLoad[]): Markup {
  const all = tables.reduce((sum, each) => sum + rowsOf(each), 0);
  const shown = tables.slice(0, mostTables).filter((each) => rowsOf(each) >= all * leastShare);
  const rest = tables.slice(shown.length);
  const others =
    rest.length > 0 &&
    ` The other ${counted(rest.length, "table")} ${rest.length === 1 ? "holds" : "hold"} ${counted(
      rest.reduce((sum, each) => sum + rowsOf(each), 0),
      "row",
    )}.`;
  const ms = Math.max(1, ...tables.flatMap(({ points }) => points.map((point) => point.ms)));
  const time = linear(ms);
  const steps = shown.map((each) => stepsOf(each, tables, ms));
  const large = steps.filter((_steps, index) => rowsOf(shown[index] as TableLoad) >= all * smallShare);
  const rate = linear(Math.max(1, ...large.flat().map(rateOf)));
  return html`
  <p>Rows per second between the commits that the load’s ledger remembers, over the time since the load began. ${shown.length === 1 ? "The plot’s full height is" : "All plots have the same scale: their full height is"} ${rateText(rate.ticks.at(-1) ?? 0)}.${others}</p>
  <div class="plot load">${shown.map((each, index) => plot(each, steps[index] ?? [], time, rate))}
    ${axis(time, (ms) => duration(ms))}
  </div>`;
}

function plot(load: TableLoad, steps: Step[], time: Scale, rate: Scale): Markup {
  const rows = rowsOf(load);
  const ms = Math.max(0, (steps.at(-1)?.to ?? 0) - (steps[0]?.from ?? 0));
  const mean = ms > 0 ? rateText((rows / ms) * 1000) : "at once";
  const said = `${counted(rows, "row")} in ${duration(ms)}, ${mean}`;
  return html`<div class="bar"><span>${load.table}</span>
      <svg class="timescale" role="img" viewBox="0 0 100 100" preserveAspectRatio="none"><title>${load.table}: ${said}</title><desc>Rows per second while ${load.table} was loaded, in ${counted(steps.length, "step")}</desc><rect class="track" width="100" height="100"/>${steps.map((step) => block(step, time, rate))}</svg>
      <span class="number">${counted(rows, "row")} <span class="quiet">${mean}</span></span></div>`;
}

function block(step: Step, time: Scale, rate: Scale): Markup {
  const left = time.at(step.from);
  const width = Math.max(0.3, time.at(step.to) - left);
  const height = Math.max(2, rate.at(rateOf(step)));
  return html`<rect x="${left}" y="${Number((100 - height).toFixed(2))}" width="${Number(width.toFixed(2))}" height="${height}"/>`;
}

/** The steps of one table; those too short to be seen are part of the next. */
function stepsOf({ table, points }: TableLoad, tables: TableLoad[], wholeMs: number): Step[] {
  const commits = points.reduce<Step[]>((groups, { ms, rows }) => {
    const last = groups.at(-1);
    if (last && ms - last.from < wholeMs * shortest) {
      last.to = ms;
      last.rows += rows;
    } else groups.push({ from: ms, to: ms, rows });
    return groups;
  }, []);
  return commits.map(({ to, rows }, index) => ({
    from: commits[index - 1]?.to ?? beginning(table, commits, tables),
    to,
    rows,
  }));
}

/**
 * When a table's first part began is not written anywhere: its later parts tell how long it took; without any, it
 * followed another table's commit.
 */
function beginning(table: string, commits: Step[], tables: TableLoad[]): number {
  const [first, last] = [commits[0], commits.at(-1)];
  if (!first || !last) return 0;
  if (last !== first) {
    const later = commits.slice(1).reduce((sum, { rows }) => sum + rows, 0);
    return Math.max(0, first.to - (first.rows * (last.to - first.to)) / later);
  }
  const others = tables.filter((each) => each.table !== table).flatMap((each) => each.points);
  return Math.max(0, ...others.map(({ ms }) => ms).filter((ms) => ms < first.from));
}

function rateOf({ from, to, rows }: Step): number {
  return (rows / Math.max(1, to - from)) * 1000;
}

function rateText(rowsPerSecond: number): string {
  return `${rough(rowsPerSecond)} rows/s`;
}

function rowsOf({ points }: TableLoad): number {
  return points.reduce((sum, { rows }) => sum + rows, 0);
}
