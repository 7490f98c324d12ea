import type { Check, ValidationReport } from "../validation-report.ts";
import { type CheckGroup, groupChecks } from "./check-groups.ts";
import { shownText } from "./shown-text.ts";

/**
 * The report as JUnit XML, which CI servers read: a suite for each table, for the queries and for what concerns all
 * tables; a case for each check. The note of a failed one names the rows that differ. Times are in seconds.
 */
export function renderJunit(report: ValidationReport): string {
  const groups = groupChecks(report).filter(({ checks }) => checks.length > 0);
  const workload = report.subject?.workload ?? "timelift";
  const at = report.subject && { timestamp: report.subject.at };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "timelift validate", ...totals(report.checks, report.ms), ...at })}>`,
    ...groups.flatMap((group) => suite(group, workload, at)),
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(group: CheckGroup, workload: string, at: object | undefined): string[] {
  const ms = group.table?.ms ?? group.checks.reduce((sum, check) => sum + check.ms, 0);
  return [
    `  <testsuite${attributes({ name: group.name, ...totals(group.checks, ms), ...at })}>`,
    ...group.checks.map((check) => testCase(check, `${workload}.${group.name}`)),
    "  </testsuite>",
  ];
}

function testCase(check: Check, classname: string): string {
  const { name, status, expected, actual, note = "" } = check;
  const start = `    <testcase${attributes({ classname, name, time: seconds(check.ms) })}`;
  if (status === "PASS") return `${start}/>`;
  if (status === "SKIP") {
    return `${start}>\n      <skipped${attributes({ message: note || actual })}/>\n    </testcase>`;
  }
  const message = `expected ${expected}, found ${actual}`;
  const failure = `<failure${attributes({ message, type: "FAIL" })}>${escapeXml(note === "" ? message : `${message}\n${note}`)}</failure>`;
  return `${start}>\n      ${failure}\n    </testcase>`;
}

function totals(checks: Check[], ms: number): Record<string, string> {
  const of = (status: Check["status"]) => String(checks.filter((check) => check.status === status).length);
  return {
    tests: String(checks.length),
    failures: of("FAIL"),
    errors: "0",
    skipped: of("SKIP"),
    time: seconds(ms),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(4);
}

function attributes(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(value).replace(/\n/g, "&#10;").replace(/\t/g, "&#9;")}"`)
    .join("");
}

function escapeXml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return shownText(text)
    .replace(/[&<>"]/g, (character) => entities[character] ?? character)
    .replace(/\r/g, "&#13;");
}
