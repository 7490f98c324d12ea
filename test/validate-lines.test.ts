import { expect, test } from "vitest";
import { renderLines } from "../loaders/validate/render-lines.ts";
import type { Check } from "../loaders/validation-report.ts";

const check = (changed: Partial<Check>): Check => ({
  ...{ name: "prices rows", status: "PASS", expected: "5", actual: "5", ms: 1 },
  ...changed,
});

test("a report reads as aligned lines within 100 columns, and a last line that sums up", () => {
  const digits = "0123456789abcdef0123456789abcdef";
  const checks = [
    check({}),
    check({ name: "prices sequence", expected: "beyond 5", actual: "next 6" }),
    check({ name: "query q", actual: "5 rows", note: "SQLite 1 ms, TimescaleDB 2 ms" }),
    check({ name: "prices nulls", status: "FAIL", expected: "none", actual: "close 1" }),
    check({
      name: "prices checksum of all",
      status: "FAIL",
      expected: digits,
      actual: digits,
      note: "1 row differs\nid '1'",
    }),
    check({
      name: "prices key",
      status: "SKIP",
      expected: "present",
      actual: "none",
      note: "the source has none either",
    }),
  ];
  const lines = renderLines({ status: "FAIL", checks, tables: [], queries: [], rows: 12345, ms: 1250 });
  expect(lines.join("\n")).toBe(`PASS prices rows             5
PASS prices sequence         next 6
PASS query q                 5 rows (SQLite 1 ms, TimescaleDB 2 ms)
FAIL prices nulls            expected none, found close 1
FAIL prices checksum of all
       expected ${digits}
       found ${digits}
       1 row differs
       id '1'
SKIP prices key              none (the source has none either)
validation FAIL: 3 PASS, 2 FAIL, 1 SKIP; 12,345 rows compared in 1.3 s`);
  expect(
    Math.max(...lines.flatMap((line) => line.split("\n")).map((line) => line.length)),
  ).toBeLessThanOrEqual(100);
});

test("an empty report still says so", () => {
  expect(renderLines({ status: "PASS", checks: [], tables: [], queries: [], rows: 0, ms: 0 })).toEqual([
    "validation PASS: 0 PASS; 0 rows compared in 0.0 s",
  ]);
});
