import type { ValidationReport } from "../../validation-report.ts";
import { type Thresholds, thresholdPresets } from "../thresholds.ts";
import { html, type Markup } from "./markup.ts";
import { verdict } from "./verdict.ts";
import { badge, count, counted, duration } from "./wording.ts";

/** The verdict, and what a reader wants to know next. */
export function summary(report: ValidationReport): Markup {
  const { status, subject, checks, rows, tables, ms } = report;
  const of = (each: string) => checks.filter((check) => check.status === each).length;
  const facts: [name: string, value: Markup | string][] = [
    [
      "Rows compared",
      tables.length > 0 ? `${count(rows)} in ${counted(tables.length, "table")}` : count(rows),
    ],
    [
      "Checks",
      (["PASS", "FAIL", "SKIP"] as const).map((each) => `${count(of(each))}\u00a0${each}`).join(", "),
    ],
    ["Time taken", duration(ms)],
    ...(subject ? subjectFacts(subject) : []),
    ...(report.thresholds ? [["Thresholds", thresholdList(report.thresholds)] as [string, Markup]] : []),
  ];
  return html`
<header class="${status.toLowerCase()}">
  <p class="kind">timelift validation${subject && ` of ${subject.workload}`} ${badge(status)}</p>
  <h1>${verdict(report)}</h1>
  <dl class="facts">${facts.map(
    ([name, value]) => html`
    <div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}
  </dl>
</header>`;
}

function subjectFacts({
  source,
  target,
  at,
}: NonNullable<ValidationReport["subject"]>): [string, Markup | string][] {
  const moment = `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
  return [
    ["Source (SQLite)", source],
    ["Target (TimescaleDB)", target],
    ["Began", html`<time datetime="${at}">${moment}</time>`],
  ];
}

function thresholdList(thresholds: Thresholds): Markup {
  const preset = Object.entries(thresholdPresets).find(([, each]) => sameThresholds(each, thresholds))?.[0];
  const demands = demandsOf(thresholds).map((demand) => html`<li>${demand}</li>`);
  return html`${preset ?? "of the stack’s config"}<ul>${demands}</ul>`;
}

function sameThresholds(a: Thresholds, b: Thresholds): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Thresholds>;
  return [...keys].every((key) => a[key] === b[key]);
}

/** What is demanded, in words. */
function demandsOf(thresholds: Thresholds): string[] {
  const { differingRows = 0, discrepancy, completeness, rejectedRows } = thresholds;
  const { querySeconds, analyticalSpeedup } = thresholds;
  return [
    ...(discrepancy === undefined && differingRows === 0 ? ["no row differs"] : []),
    ...(differingRows > 0 ? [`at most ${counted(differingRows, "row")} of a table differ`] : []),
    ...(discrepancy === undefined ? [] : [`less than ${share(discrepancy)} of each table differs`]),
    ...(completeness === undefined
      ? []
      : [`${completeness < 1 ? "at least " : ""}${share(completeness)} of each table’s rows are there`]),
    ...(rejectedRows === undefined
      ? []
      : [`${rejectedRows === 0 ? "no row" : `at most ${counted(rejectedRows, "row")} of a table`} rejected`]),
    ...(querySeconds === undefined ? [] : [`each query takes less than ${querySeconds} s`]),
    ...(analyticalSpeedup === undefined
      ? []
      : [`analytical queries are at least ${analyticalSpeedup} times as fast`]),
  ];
}

function share(part: number): string {
  return `${Number((part * 100).toPrecision(12))} %`;
}
