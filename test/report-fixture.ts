import { strictThresholds } from "../loaders/validate/thresholds.ts";
import type { Check, QueryTime, TableReport, ValidationReport } from "../loaders/validation-report.ts";

const check = (changed: Partial<Check>): Check => ({
  ...{ name: "prices rows", status: "PASS", expected: "5", actual: "5", ms: 12.5 },
  ...changed,
});

export const tableOf = (changed: Partial<TableReport>): TableReport => ({
  ...{ name: "prices", sourceRows: 1000, targetRows: 1000, unfitRows: 0, differingRows: 0 },
  ...{ complete: true, differences: [], ms: 120 },
  ...changed,
});

export const queryOf = (changed: Partial<QueryTime>): QueryTime => ({
  ...{ name: "latest", analytical: false, rows: 5, sqliteMs: 2, timescaleMs: 7 },
  ...changed,
});

const sha = "4e3718a3c7ddd58142120b1ec69d8edd";

/** A report with a failure of each kind, and values that a page must not believe. */
export function failingReport(): ValidationReport {
  return {
    status: "FAIL",
    rows: 3010,
    ms: 4321,
    thresholds: strictThresholds,
    subject: {
      workload: "stockula",
      source: "app.db",
      target: "database timelift at 127.0.0.1:15432",
      at: "2026-03-04T05:06:07.890Z",
    },
    tables: [
      tableOf({ name: "stocks" }),
      tableOf({
        name: "price_history",
        sourceRows: 2000,
        targetRows: 2000,
        differingRows: 4,
        differences: [
          {
            kind: "changed",
            key: "symbol 'AAPL', time '2010-03-01'",
            columns: [
              { column: "close", source: "223.02", target: "223.03" },
              { column: "name", source: "<script>alert('x')</script>", target: "" },
              { column: "note", source: null, target: "NULL" },
            ],
          },
          {
            kind: "missing",
            key: "symbol 'MSFT', time '2010-03-02'",
            columns: [
              { column: "close", source: "28.5", target: null },
              { column: "note", source: 'a\u0000b\u202e]]> & "c"', target: null },
            ],
          },
          {
            kind: "extra",
            key: "symbol '\"><img src=x onerror=alert(1)>', time '2010-03-03'",
            columns: [{ column: "close", source: null, target: "1" }],
          },
        ],
      }),
      tableOf({ name: "options", sourceRows: 10, targetRows: 9, unfitRows: 1 }),
    ],
    queries: [
      queryOf({}),
      queryOf({ name: "monthly <b>OHLC</b>", analytical: true, rows: 72, sqliteMs: 812.4, timescaleMs: 31 }),
    ],
    checks: [
      check({ name: "stocks rows", actual: "1,000" }),
      check({
        name: "price_history checksum",
        status: "FAIL",
        expected: sha,
        actual: sha.replace("4", "5"),
        note: "4 rows differ\nsymbol 'AAPL', time '2010-03-01': close is '223.02' in the source, '223.03' in the target",
      }),
      check({ name: "price_history primary key", actual: "(symbol, time)" }),
      check({
        name: "options rejects of <strike>",
        status: "FAIL",
        expected: "none",
        actual: "1",
        note: "'12,50' is no number",
      }),
      check({
        name: "options key",
        status: "SKIP",
        expected: "present",
        actual: "none",
        note: "the source has none & nobody asked",
      }),
      check({ name: "query latest", actual: "5 rows", note: "SQLite 2 ms, TimescaleDB 7 ms" }),
      check({ name: "query monthly <b>OHLC</b>", actual: "72 rows" }),
      check({ name: "completeness", actual: "100 %" }),
    ],
    load: {
      tables: [
        { table: "price_history", points: [100, 220, 300, 520].map((ms) => ({ ms, rows: 500 })) },
        { table: "stocks", points: [{ ms: 40, rows: 1000 }] },
      ],
    },
  };
}

/** A report in which everything is as it should be. */
export function passingReport(): ValidationReport {
  const { subject, thresholds, queries, load } = failingReport();
  return {
    status: "PASS",
    rows: 2000,
    ms: 950,
    ...{ subject, thresholds, queries, load },
    tables: [tableOf({ name: "stocks" }), tableOf({ name: "price_history" })],
    checks: [check({ name: "stocks rows" }), check({ name: "price_history rows" })],
  } as ValidationReport;
}
