import type { Check, CheckStatus, QueryTime, TableReport } from "../validation-report.ts";
import { fractionOf, percent, reaches, rowsBelow } from "./share.ts";

/**
 * What a validation demands. A key that is not given demands nothing, unless it says otherwise. Every number of rows
 * and every share holds for each table by itself, never for their sum.
 */
export interface Thresholds {
  /**
   * Rows of a table that may differ, be missing or be extra.
   * @default 0
   */
  differingRows?: number;
  /**
   * Share (0 to 1) of a table's rows that may differ, be missing or be extra: they must be fewer than that. Where
   * `differingRows` allows more, that holds.
   */
  discrepancy?: number;
  /** Share (0 to 1) of a table's source rows that the target must at least hold, whatever their values. */
  completeness?: number;
  /** Rows of a table that may hold a value which the target's type cannot: such rows are never in the target. */
  rejectedRows?: number;
  /** Seconds: each query of the workload must take less on TimescaleDB. */
  querySeconds?: number;
  /** Each query that its workload calls analytical must be at least so many times faster than on SQLite. */
  analyticalSpeedup?: number;
  /**
   * Relative difference that a real in the result of a workload's query may have; stored rows get none.
   * @default 1e-12
   */
  queryTolerance?: number;
}

/** The default: every row is there and the same. Nothing is asked of the queries' times. */
export const strictThresholds: Thresholds = {
  differingRows: 0,
  completeness: 1,
  rejectedRows: 0,
  queryTolerance: 1e-12,
};

/** Less than 0.1 % of the rows differ, 99.9 % are there, queries take less than a second, analytical ones a tenth. */
export const documentThresholds: Thresholds = {
  discrepancy: 0.001,
  completeness: 0.999,
  querySeconds: 1,
  analyticalSpeedup: 10,
  queryTolerance: 1e-12,
};

/** The thresholds that have a name. */
export const thresholdPresets = { strict: strictThresholds, documents: documentThresholds } as const;

/** Rows of a table with so many rows that may differ, be missing or be extra. */
export function allowedRows(sourceRows: number, thresholds: Thresholds): number {
  return Math.max(thresholds.differingRows ?? 0, rowsBelow(thresholds.discrepancy ?? 0, sourceRows));
}

/** The checks that the thresholds ask for, and no others. Whether single rows may differ is `allowedRows`. */
export function thresholdChecks(
  tables: TableReport[],
  queries: QueryTime[],
  thresholds: Thresholds,
): Check[] {
  const { discrepancy, completeness, rejectedRows, querySeconds, analyticalSpeedup } = thresholds;
  return [
    ...(discrepancy === undefined ? [] : [discrepancyCheck(tables, thresholds, discrepancy)]),
    ...(completeness === undefined ? [] : [completenessCheck(tables, completeness)]),
    ...(rejectedRows === undefined ? [] : [rejectedCheck(tables, rejectedRows)]),
    ...(querySeconds === undefined ? [] : queries.map((query) => secondsCheck(query, querySeconds))),
    ...(analyticalSpeedup === undefined
      ? []
      : queries
          .filter(({ analytical }) => analytical)
          .map((query) => speedupCheck(query, analyticalSpeedup))),
  ];
}

/** What one table contributes to a check over all of them. */
interface Finding {
  fails: boolean;
  /** Greater is worse. */
  badness: number;
  text: string;
}

function discrepancyCheck(tables: TableReport[], thresholds: Thresholds, share: number): Check {
  const findings = tables.map(({ name, sourceRows, differingRows, complete }) => ({
    fails: differingRows > 0 && (!complete || differingRows > allowedRows(sourceRows, thresholds)),
    badness: ratio(differingRows, sourceRows),
    text: `${name}: ${complete ? "" : "at least "}${percent(differingRows, sourceRows, "up")}, ${rows(differingRows)} of ${count(sourceRows)}`,
  }));
  return overTables("discrepancy", `less than ${shareText(share)} of each table`, "0 %", findings);
}

function completenessCheck(tables: TableReport[], share: number): Check {
  const findings = tables.map((table) => {
    const { name, sourceRows } = table;
    const present = presentRows(table);
    return {
      fails: !reaches(present, sourceRows, share),
      badness: ratio(sourceRows - present, sourceRows),
      text: `${name}: ${percent(present, sourceRows, "down")}, ${rows(present)} of ${count(sourceRows)}`,
    };
  });
  const expected = share === 1 ? "every row of each table" : `at least ${shareText(share)} of each table`;
  return overTables("completeness", expected, "100 %", findings);
}

/** Rows of the source that are in the target, as far as it is known: an extra row stands for no missing one. */
function presentRows({ sourceRows, targetRows, unfitRows, differences }: TableReport): number {
  const of = (kind: string) => differences.filter((each) => each.kind === kind).length;
  return Math.max(0, Math.min(sourceRows - unfitRows - of("missing"), targetRows - of("extra")));
}

function rejectedCheck(tables: TableReport[], allowed: number): Check {
  const findings = tables.map(({ name, sourceRows, unfitRows }) => ({
    fails: unfitRows > allowed,
    badness: unfitRows,
    text: `${name}: ${rows(unfitRows)} of ${count(sourceRows)}`,
  }));
  return overTables(
    "rejected rows",
    allowed === 0 ? "none" : `at most ${count(allowed)} of each table`,
    "none",
    findings,
  );
}

/** One check of all tables; its actual value is the worst of them, its note names the others that fail. */
function overTables(name: string, expected: string, perfect: string, findings: Finding[]): Check {
  if (findings.length === 0) {
    return { name, status: "SKIP", expected, actual: "nothing", note: "no table was compared", ms: 0 };
  }
  const byBadness = findings.toSorted((a, b) => b.badness - a.badness);
  const failing = byBadness.filter(({ fails }) => fails);
  const worst = failing[0] ?? byBadness[0];
  const more = failing.slice(1).map(({ text }) => text);
  return {
    name,
    status: failing.length > 0 ? "FAIL" : "PASS",
    expected,
    actual: worst && worst.badness > 0 ? worst.text : perfect,
    ...(more.length > 0 && { note: more.join("\n") }),
    ms: 0,
  };
}

function secondsCheck(query: QueryTime, seconds: number): Check {
  return queryCheck(`query ${query.name} under ${seconds} s`, query, {
    passes: query.timescaleMs < seconds * 1000,
    expected: `less than ${seconds} s`,
    actual: `${query.timescaleMs} ms`,
  });
}

function speedupCheck(query: QueryTime, speedup: number): Check {
  const { sqliteMs, timescaleMs } = query;
  return queryCheck(`query ${query.name} ${speedup}x`, query, {
    passes: sqliteMs >= speedup * timescaleMs,
    expected: `at least ${speedup} times as fast as SQLite`,
    actual: `${factor(sqliteMs, timescaleMs)} (SQLite ${sqliteMs} ms, TimescaleDB ${timescaleMs} ms)`,
  });
}

function queryCheck(
  name: string,
  query: QueryTime,
  found: { passes: boolean; expected: string; actual: string },
): Check {
  const { passes, expected, actual } = found;
  const status: CheckStatus = query.rows === 0 ? "SKIP" : passes ? "PASS" : "FAIL";
  const why = status === "SKIP" && { note: "this source has no row for it, so its time shows nothing" };
  return { name, status, expected, actual, ...why, ms: 0 };
}

/** How many times as fast, cut off after one decimal. */
function factor(sqliteMs: number, timescaleMs: number): string {
  if (timescaleMs === 0) return "too fast to measure";
  return `${(Math.floor((sqliteMs / timescaleMs) * 10) / 10).toLocaleString("en-US")} times`;
}

function shareText(share: number): string {
  const { numerator, denominator } = fractionOf(share);
  return percent(Number(numerator), Number(denominator), "down");
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? (part === 0 ? 0 : Number.POSITIVE_INFINITY) : part / whole;
}

function rows(number: number): string {
  return `${count(number)} ${number === 1 ? "row" : "rows"}`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
