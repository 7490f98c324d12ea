import type { QueryTime } from "../../validation-report.ts";
import { axis } from "./axis.ts";
import { html, type Markup } from "./markup.ts";
import { type Scale, scaleOf } from "./scale.ts";
import { counted, duration, rough } from "./wording.ts";

/** Every query's time on both engines, as bars on one scale. */
export function queryPlot(queries: QueryTime[]): Markup {
  if (queries.length === 0) return html``;
  const scale = scaleOf(queries.flatMap(({ sqliteMs, timescaleMs }) => [sqliteMs, timescaleMs]));
  return html`
<section aria-labelledby="queries">
  <h2 id="queries">The application’s queries</h2>
  <p>Each query gave its answer on both engines; the bars are the times that this took. ${comparison(queries)}${
    scale.logarithmic && " The scale is logarithmic: each mark is ten times the one before."
  }</p>
  <div class="plot">${queries.map((query) => bars(query, scale))}
    ${axis(scale, duration)}
  </div>
</section>`;
}

function comparison(queries: QueryTime[]): string {
  const faster = queries.filter(({ sqliteMs, timescaleMs }) => sqliteMs < timescaleMs).length;
  if (faster === 0) return "";
  const which =
    faster === queries.length
      ? queries.length === 1
        ? "this query"
        : "all of them"
      : `${faster} of the ${queries.length}`;
  return `SQLite is faster in ${which}: it runs inside the application, and where a query reads little, the way to a server and its planning take the longer part.`;
}

function bars(query: QueryTime, scale: Scale): Markup {
  const { name, rows, analytical, sqliteMs, timescaleMs } = query;
  return html`
    <div class="query">
      <h3>${name} <span class="quiet">${counted(rows, "row")}${analytical && ", analytical"}; ${faster(query)}</span></h3>
      ${bar("SQLite", "sqlite", sqliteMs, scale, name)}
      ${bar("TimescaleDB", "timescale", timescaleMs, scale, name)}
    </div>`;
}

function faster({ sqliteMs, timescaleMs }: QueryTime): string {
  if (sqliteMs === timescaleMs) return "equally fast";
  const [winner, quick, slow] =
    sqliteMs < timescaleMs ? ["SQLite", sqliteMs, timescaleMs] : ["TimescaleDB", timescaleMs, sqliteMs];
  if (quick === 0) return `${winner} faster`;
  return slow / quick < 1.05 ? "about equally fast" : `${winner} ${rough(slow / quick)} times as fast`;
}

function bar(engine: string, kind: string, ms: number, scale: Scale, query: string): Markup {
  const time = duration(ms);
  return html`<div class="bar"><span>${engine}</span>
      <svg class="${kind}" role="img" viewBox="0 0 100 10" preserveAspectRatio="none"><title>${engine}: ${time}</title><desc>Time of ${query} on ${engine}</desc><rect class="track" width="100" height="10"/><rect width="${Math.max(0.5, scale.at(ms))}" height="10"/></svg>
      <span class="number">${time}</span></div>`;
}
