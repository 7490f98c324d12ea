import type { Check, ValidationReport } from "../validation-report.ts";

const widest = 44;

/**
 * The report for people: a line for each check that starts with PASS, FAIL or SKIP, then one line that sums up.
 * Rows that differ follow their check, indented, within the same element.
 */
export function renderLines(report: ValidationReport): string[] {
  const width = Math.min(widest, Math.max(0, ...report.checks.map((check) => check.name.length)));
  return [...report.checks.map((check) => renderCheck(check, width)), summary(report)];
}

/** One check as a line; `width` columns are kept for its name. */
export function renderCheck(check: Check, width: number = widest): string {
  const { name, status, expected, actual, note } = check;
  const finding = status === "FAIL" ? `expected ${expected}, found ${actual}` : passed(expected, actual);
  const [first = "", ...rows] = note?.split("\n") ?? [];
  const line = `${status} ${name.padEnd(width)}  ${finding}`;
  if (rows.length === 0 && status === "PASS") return note ? `${line} (${first})` : line;
  return [line, ...(note ? [first, ...rows].map((row) => `       ${row}`) : [])].join("\n");
}

function passed(expected: string, actual: string): string {
  return expected === actual ? actual : `${actual} (expected: ${expected})`;
}

function summary({ status, checks, rows, ms }: ValidationReport): string {
  const counts = (["PASS", "FAIL", "SKIP"] as const)
    .map((each) => [each, checks.filter((check) => check.status === each).length] as const)
    .filter(([each, found]) => found > 0 || each === "PASS")
    .map(([each, found]) => `${found} ${each}`);
  const seconds = (ms / 1000).toFixed(1);
  return `validation ${status}: ${counts.join(", ")}; ${rows.toLocaleString("en-US")} rows compared in ${seconds} s`;
}
