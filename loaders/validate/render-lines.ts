import type { Check, ValidationReport } from "../validation-report.ts";

const widest = 44;
const columns = 100;

/**
 * The report for people: a line for each check that starts with PASS, FAIL or SKIP, then one line that sums up.
 * Rows that differ follow their check, indented, within the same element.
 */
export function renderLines(report: ValidationReport): string[] {
  const width = Math.min(widest, Math.max(0, ...report.checks.map((check) => check.name.length)));
  return [...report.checks.map((check) => renderCheck(check, width)), summary(report)];
}

/** One check as a line; `width` columns are kept for its name. What does not fit into 100 columns goes below. */
export function renderCheck(check: Check, width: number = widest): string {
  const { name, status, expected, actual } = check;
  const notes = check.note?.split("\n") ?? [];
  const start = `${status} ${name.padEnd(width)}  `;
  if (status === "FAIL") {
    const whole = `${start}expected ${expected}, found ${actual}`;
    const fits = whole.length <= columns;
    return below(fits ? whole : start.trimEnd(), [
      ...(fits ? [] : [`expected ${expected}`, `found ${actual}`]),
      ...notes,
    ]);
  }
  const [note, ...more] = notes;
  const whole = note === undefined ? `${start}${actual}` : `${start}${actual} (${note})`;
  return whole.length <= columns ? below(whole, more) : below(`${start}${actual}`, notes);
}

function below(line: string, more: string[]): string {
  return [line, ...more.map((each) => `       ${each}`)].join("\n");
}

function summary({ status, checks, rows, ms }: ValidationReport): string {
  const counts = (["PASS", "FAIL", "SKIP"] as const)
    .map((each) => [each, checks.filter((check) => check.status === each).length] as const)
    .filter(([each, found]) => found > 0 || each === "PASS")
    .map(([each, found]) => `${found} ${each}`);
  const seconds = (ms / 1000).toFixed(1);
  return `validation ${status}: ${counts.join(", ")}; ${rows.toLocaleString("en-US")} rows compared in ${seconds} s`;
}
