import type { ValidationReport } from "../../validation-report.ts";
import { allChecks, failedChecks } from "./check-list.ts";
import { differences } from "./differences.ts";
import { loadPlot } from "./load-plot.ts";
import { html, Markup } from "./markup.ts";
import { queryPlot } from "./query-plot.ts";
import { style } from "./style.ts";
import { summary } from "./summary.ts";
import { tableList } from "./table-list.ts";

/** Nothing may be fetched or run, whatever a value holds. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The report as one HTML page that needs no other file, no network and no script. */
export function renderHtml(report: ValidationReport): string {
  const title = `${report.status}: validation${report.subject ? ` of ${report.subject.workload}` : ""}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>${summary(report)}${failedChecks(report)}${differences(report.tables)}${tableList(report)}${queryPlot(report.queries)}${loadPlot(report.load)}${allChecks(report)}
</main>
</body>
</html>
`.text;
}
