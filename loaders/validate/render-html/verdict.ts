import type { TableReport, ValidationReport } from "../../validation-report.ts";
import { groupChecks, statusOf } from "../check-groups.ts";
import { count, counted, listed } from "./wording.ts";

/** The whole report in one sentence. */
export function verdict(report: ValidationReport): string {
  return report.status === "PASS" ? passed(report) : failed(report);
}

function passed({ tables, rows }: ValidationReport): string {
  const unequal = sumOf(tables, "differingRows") + sumOf(tables, "unfitRows");
  if (unequal > 0) {
    return `${count(unequal)} of ${counted(rows, "row")} ${unequal === 1 ? "is" : "are"} not the same in TimescaleDB, as few as the thresholds allow.`;
  }
  if (rows === 0) return "The source holds no row, and neither does TimescaleDB.";
  return `${rows === 1 ? "The one row" : `All ${counted(rows, "row")}`} of the source ${rows === 1 ? "is" : "are"} in TimescaleDB, every value the same.`;
}

function failed(report: ValidationReport): string {
  const { tables, rows, checks } = report;
  // Rows that the thresholds allow are no reason.
  const failing = groupChecks(report).flatMap((group) =>
    group.table && statusOf(group) === "FAIL" ? [group.table] : [],
  );
  const differing = failing.filter((table) => table.differingRows > 0);
  const unfit = failing.filter((table) => table.unfitRows > 0);
  const found = [
    ...(differing.length > 0 ? [differ(differing, rows)] : []),
    ...(unfit.length > 0 ? [doNotFit(unfit, differing.length > 0 ? undefined : rows)] : []),
  ];
  if (found.length > 0) return `${sentence(found.join("; "))}.`;
  const names = checks.filter(({ status }) => status === "FAIL").map(({ name }) => name);
  const what = `${counted(names.length, "check")} failed: ${listed(names, "check")}.`;
  const unequal = sumOf(tables, "differingRows") + sumOf(tables, "unfitRows");
  const same = tables.length > 0 && failing.length === 0 && unequal === 0;
  return same ? `All ${counted(rows, "row")} are the same, but ${what}` : what;
}

function differ(tables: TableReport[], rows: number): string {
  const sum = sumOf(tables, "differingRows");
  const least = tables.some(({ complete }) => !complete) ? "at least " : "";
  return `${least}${count(sum)} of ${counted(rows, "row")} ${sum === 1 ? "is" : "are"} not the same in TimescaleDB, in ${namesOf(tables)}`;
}

function doNotFit(tables: TableReport[], rows: number | undefined): string {
  const sum = sumOf(tables, "unfitRows");
  const whole = rows === undefined ? "" : ` of ${counted(rows, "row")}`;
  return `${count(sum)}${whole} ${sum === 1 ? "does" : "do"} not fit the target’s types, in ${namesOf(tables)}`;
}

function namesOf(tables: TableReport[]): string {
  return listed(
    tables.map(({ name }) => name),
    "table",
  );
}

function sumOf(tables: TableReport[], key: "differingRows" | "unfitRows"): number {
  return tables.reduce((sum, table) => sum + table[key], 0);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
