import { describe, expect, test } from "vitest";
import { percent } from "../loaders/validate/share.ts";
import {
  allowedRows,
  documentThresholds,
  strictThresholds,
  thresholdChecks,
} from "../loaders/validate/thresholds.ts";
import type { QueryTime, TableReport } from "../loaders/validation-report.ts";

const table = (changed: Partial<TableReport>): TableReport => ({
  ...{ name: "prices", sourceRows: 1000, targetRows: 1000, unfitRows: 0, differingRows: 0 },
  ...{ complete: true, differences: [], ms: 1 },
  ...changed,
});

const query = (changed: Partial<QueryTime>): QueryTime => ({
  ...{ name: "q", analytical: true, rows: 5, sqliteMs: 100, timescaleMs: 10 },
  ...changed,
});

describe("rows that may differ", () => {
  test("are none by default", () => {
    expect(allowedRows(2_500_000, strictThresholds)).toBe(0);
    expect(allowedRows(2_500_000, {})).toBe(0);
  });

  test("are fewer than the share, exactly", () => {
    expect(allowedRows(1000, documentThresholds)).toBe(0);
    expect(allowedRows(1001, documentThresholds)).toBe(1);
    expect(allowedRows(3000, documentThresholds)).toBe(2);
    // 0.07 * 100 is 7.000000000000001 in doubles.
    expect(allowedRows(100, { discrepancy: 0.07 })).toBe(6);
    expect(allowedRows(20_000_001, { discrepancy: 1e-7 })).toBe(2);
    expect(allowedRows(0, documentThresholds)).toBe(0);
  });

  test("are as many as the number, where the share allows fewer", () => {
    expect(allowedRows(10, { differingRows: 3, discrepancy: 0.001 })).toBe(3);
    expect(allowedRows(0, { differingRows: 3 })).toBe(3);
  });
});

describe("a percentage", () => {
  test.each([
    [999_999_999, 1_000_000_000, "down", "99.999999 %"],
    [1, 1_000_000_000, "up", "0.000001 %"],
    [1, 3, "down", "33.333333 %"],
    [1, 3, "up", "33.333334 %"],
    [1, 2, "up", "50 %"],
    [0, 7, "up", "0 %"],
    [7, 7, "down", "100 %"],
  ] as const)("of %d in %d, cut off %s, is %s", (part, whole, away, text) => {
    expect(percent(part, whole, away)).toBe(text);
  });
});

describe("strict thresholds", () => {
  test("ask for nothing about queries", () => {
    const checks = thresholdChecks([table({})], [query({ timescaleMs: 9000 })], strictThresholds);
    expect(checks.map(({ name, status, actual }) => [name, status, actual])).toEqual([
      ["completeness", "PASS", "100 %"],
      ["rejected rows", "PASS", "none"],
    ]);
  });

  test("fail for one missing row in a million, and say which table", () => {
    const tables = [table({ name: "a" }), table({ name: "b", sourceRows: 1e6, targetRows: 999_999 })];
    const [completeness] = thresholdChecks(tables, [], strictThresholds);
    expect(completeness).toMatchObject({
      ...{ status: "FAIL", expected: "every row of each table" },
      actual: "b: 99.9999 %, 999,999 rows of 1,000,000",
    });
  });

  test("do not let an extra row stand for a missing one", () => {
    const differences = (["missing", "extra"] as const).map((kind) => ({ kind, key: "id '1'", columns: [] }));
    const [completeness] = thresholdChecks([table({ differingRows: 2, differences })], [], strictThresholds);
    expect(completeness?.actual).toBe("prices: 99.9 %, 999 rows of 1,000");
  });

  test("fail for a row with a value that does not fit, in any table", () => {
    const tables = [table({ name: "a", unfitRows: 1, targetRows: 999 }), table({ name: "b", unfitRows: 2 })];
    const rejected = thresholdChecks(tables, [], strictThresholds)[1];
    expect(rejected).toMatchObject({
      ...{ status: "FAIL", expected: "none", actual: "b: 2 rows of 1,000", note: "a: 1 row of 1,000" },
    });
  });

  test("are met by nothing only when tables were compared", () => {
    expect(thresholdChecks([], [], strictThresholds).map(({ status }) => status)).toEqual(["SKIP", "SKIP"]);
    expect(thresholdChecks([table({ sourceRows: 0, targetRows: 0 })], [], strictThresholds)[0]?.status).toBe(
      "PASS",
    );
  });
});

describe("the documents' thresholds", () => {
  const statusOf = (tables: TableReport[], name: string) =>
    thresholdChecks(tables, [], documentThresholds).find((check) => check.name === name)?.status;

  test("allow less than 0.1 % to differ, and not 0.1 %", () => {
    expect(statusOf([table({ sourceRows: 10_000, differingRows: 9 })], "discrepancy")).toBe("PASS");
    expect(statusOf([table({ sourceRows: 10_000, differingRows: 10 })], "discrepancy")).toBe("FAIL");
  });

  test("weigh each table by itself", () => {
    const tables = [table({ sourceRows: 1e6 }), table({ name: "small", sourceRows: 10, differingRows: 1 })];
    expect(statusOf(tables, "discrepancy")).toBe("FAIL");
  });

  test("do not pass a table whose differing rows were not counted to the end", () => {
    const uncounted = table({ sourceRows: 10_000, differingRows: 5, complete: false });
    expect(statusOf([uncounted], "discrepancy")).toBe("FAIL");
  });

  test("want 99.9 % of each table, and take exactly that", () => {
    expect(statusOf([table({ targetRows: 999 })], "completeness")).toBe("PASS");
    expect(statusOf([table({ targetRows: 998 })], "completeness")).toBe("FAIL");
    expect(statusOf([table({ sourceRows: 999, targetRows: 998 })], "completeness")).toBe("FAIL");
  });

  test("want every query under a second, and analytical ones ten times as fast", () => {
    const queries = [
      query({ name: "slow", analytical: false, timescaleMs: 1000 }),
      query({ name: "just", sqliteMs: 100, timescaleMs: 10 }),
      query({ name: "not quite", sqliteMs: 99.9, timescaleMs: 10 }),
      query({ name: "empty", rows: 0 }),
    ];
    const checks = thresholdChecks([], queries, documentThresholds).filter(({ name }) =>
      name.startsWith("query"),
    );
    expect(checks.map(({ name, status }) => `${status} ${name}`)).toEqual([
      "FAIL query slow under 1 s",
      "PASS query just under 1 s",
      "PASS query not quite under 1 s",
      "SKIP query empty under 1 s",
      "PASS query just 10x",
      "FAIL query not quite 10x",
      "SKIP query empty 10x",
    ]);
    expect(checks[5]?.actual).toBe("9.9 times (SQLite 99.9 ms, TimescaleDB 10 ms)");
  });
});
