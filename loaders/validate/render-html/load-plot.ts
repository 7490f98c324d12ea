import type { LoadHistory, TableLoad } from "../../validation-report.ts";
import { axis } from "./axis.ts";
import { html, type Markup } from "./markup.ts";
import { linear, type Scale } from "./scale.ts";
import { count, counted, duration, rough } from "./wording.ts";

/** Tables that have a plot of their own; the others are small beside them. */
const mostTables = 8;

/** A table with less of all rows does not set the scale: its few rows come at once. */
const smallShare = 0.05;

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
  const shown = tables.slice(0, mostTables);
  const rest = tables.slice(mostTables);
  const others =
    rest.length > 0 &&
    ` The other ${counted(rest.length, "table")} hold ${counted(
      rest.reduce((sum, each) => sum + rowsOf(each), 0),
      "row",
    )}.`;
  const time = linear(Math.max(...tables.flatMap(({ points }) => points.map(({ ms }) => ms))));
  const steps = shown.map((each) => stepsOf(each, tables));
  const all = tables.reduce((sum, each) => sum + rowsOf(each), 0);
  const large = steps.filter((_steps, index) => rowsOf(shown[index] as TableLoad) >= all * smallShare);
  const rate = linear(Math.max(1, ...large.flat().map(rateOf)));
  return html`
  <p>Rows per second between the commits that the load’s ledger remembers, over the time since the load began. All plots have the same scale: their full height is ${rateText(rate.ticks.at(-1) ?? 0)}.${others}</p>
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
      <span class="number">${count(rows)} <span class="quiet">rows, ${mean}</span></span></div>`;
}

function block(step: Step, time: Scale, rate: Scale): Markup {
  const left = time.at(step.from);
  const width = Math.max(0.3, time.at(step.to) - left);
  const height = Math.max(2, rate.at(rateOf(step)));
  return html`<rect x="${left}" y="${Number((100 - height).toFixed(2))}" width="${Number(width.toFixed(2))}" height="${height}"/>`;
}

/** A table's first part began, for all that is known, with the last commit of another table before its own. */
function stepsOf({ table, points }: TableLoad, tables: TableLoad[]): Step[] {
  const first = points[0]?.ms ?? 0;
  const others = tables.filter((each) => each.table !== table).flatMap((each) => each.points);
  let from = Math.max(0, ...others.map(({ ms }) => ms).filter((ms) => ms < first));
  return points.map(({ ms, rows }) => {
    const step = { from, to: ms, rows };
    from = ms;
    return step;
  });
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
