import { describe, expect, test } from "vitest";
import { alignedJson } from "../loaders/validate/render-html/aligned-json.ts";
import { changedParts } from "../loaders/validate/render-html/changed-part.ts";
import { renderHtml } from "../loaders/validate/render-html/page.ts";
import { scaleOf } from "../loaders/validate/render-html/scale.ts";
import { verdict } from "../loaders/validate/render-html/verdict.ts";
import { documentThresholds } from "../loaders/validate/thresholds.ts";
import { failingReport, passingReport, queryOf, tableOf } from "./report-fixture.ts";

/** The page's words, without tags and with entities read. */
function words(page: string): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return page
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? "")
    .replace(/\s+/g, " ");
}

/** Names of the elements, those that close with a slash in front; fails where they do not nest. */
function elements(page: string): Set<string> {
  const open: string[] = [];
  const names = new Set<string>();
  const empty = ["meta", "rect"];
  for (const [, slash, name = ""] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b(?:[^>"']|"[^"]*"|'[^']*')*>/g)) {
    names.add(name);
    if (empty.includes(name)) continue;
    if (slash) expect(open.pop()).toBe(name);
    else open.push(name);
  }
  expect(open).toEqual([]);
  return names;
}

describe("the page of a failed validation", () => {
  const report = failingReport();
  const page = renderHtml(report);
  const text = words(page);

  test("holds every table, check, query and difference", () => {
    for (const { name, differences } of report.tables) {
      expect(text).toContain(name);
      for (const { columns } of differences) for (const { column } of columns) expect(text).toContain(column);
    }
    for (const { status, expected, actual } of report.checks) {
      if (status === "FAIL") expect(text).toContain(expected);
      expect(text).toContain(actual);
    }
    for (const { name } of report.queries) expect(text).toContain(name);
    for (const { table } of report.load?.tables ?? []) expect(text).toContain(`${table}: `);
    expect(text).toContain("database timelift at 127.0.0.1:15432");
    expect(text).toContain("4 rows of 2,000; the first 3 follow");
  });

  test("says the verdict in its heading", () => {
    expect(/<h1>(.*?)<\/h1>/.exec(page)?.[1]).toBe(
      "4 of 3,010 rows are not the same in TimescaleDB, in price_history; 1 does not fit the target’s types, in options.",
    );
  });

  test("names a differing row once: with its values side by side, not in the check's note again", () => {
    expect(text).toContain("4 rows differ");
    expect(text).not.toContain("close is '223.02' in the source");
    expect(page).toContain("223.0<mark>2</mark></td>");
    expect(page).toContain("223.0<mark>3</mark></td>");
  });

  test("tells NULL, the empty text and the text NULL apart", () => {
    expect(page).toContain('<mark><em class="word">NULL</em></mark>');
    expect(page).toContain('<mark><em class="word">empty text</em></mark>');
    expect(page).toContain("<mark>NULL</mark>");
  });

  test("is nested well, and nothing in it comes from a value", () => {
    const names = elements(page);
    for (const name of ["script", "img", "b", "strike", "link", "iframe", "object"]) {
      expect([...names]).not.toContain(name);
    }
    expect(text).toContain("<script>alert('x')</script>");
    expect(text).toContain('"><img src=x onerror=alert(1)>');
    expect(text).toContain("monthly <b>OHLC</b>");
    expect(text).toContain('a␀b⟨U+202E⟩]]> & "c"');
    for (const character of ["\u0000", "\u202e"]) expect(page).not.toContain(character);
  });

  test("refers to no other file and runs nothing", () => {
    expect(page).not.toMatch(/https?:|url\(|@import|\bsrc=(?!x onerror)|\bhref=|\son\w+="/);
    expect(page).toContain("default-src 'none'");
  });

  test("has a name and a description for each plot", () => {
    const plots = page.match(/<svg /g) ?? [];
    expect(plots).toHaveLength(report.queries.length * 2 + (report.load?.tables.length ?? 0));
    expect(page.match(/<svg [^>]*role="img"[^>]*><title>[^<]+<\/title><desc>[^<]+<\/desc>/g)).toHaveLength(
      plots.length,
    );
  });
});

describe("the page of a passed validation", () => {
  test("has no section of failures", () => {
    const page = renderHtml(passingReport());
    expect(page).toContain("<h1>All 2,000 rows of the source are in TimescaleDB, every value the same.</h1>");
    expect(words(page)).not.toMatch(/FAIL(?!,)|failed check|Rows that differ/);
    elements(page);
  });

  test("does without tables, queries, load, subject and thresholds", () => {
    const page = renderHtml({ status: "PASS", rows: 0, ms: 1, checks: [], tables: [], queries: [] });
    expect(page).toContain("The source holds no row");
    elements(page);
  });

  test("says why there is no plot of the load", () => {
    const load = { tables: [], missing: "role <r> may not read the load's ledger" };
    expect(words(renderHtml({ ...passingReport(), load }))).toContain(
      "There is no plot of the load: role <r> may not read the load's ledger.",
    );
  });

  test("says where SQLite is faster, and that a scale is logarithmic", () => {
    const page = (queries: ReturnType<typeof queryOf>[]) =>
      words(renderHtml({ ...passingReport(), queries }));
    const slower = queryOf({ sqliteMs: 1, timescaleMs: 3 });
    const faster = queryOf({ sqliteMs: 8, timescaleMs: 2 });
    expect(page([slower, faster])).toContain("SQLite is faster in 1 of the 2");
    expect(page([slower, faster])).not.toContain("logarithmic");
    expect(page([slower])).toContain("SQLite is faster in this query");
    expect(page([faster])).not.toContain("SQLite is faster in");
    expect(page([faster, queryOf({ sqliteMs: 900, timescaleMs: 20 })])).toContain("logarithmic");
  });
});

describe("the verdict", () => {
  test("does not hide what the thresholds allow", () => {
    const tables = [tableOf({ sourceRows: 5000, differingRows: 2, unfitRows: 1 })];
    const report = { ...passingReport(), tables, rows: 5000, thresholds: documentThresholds };
    expect(verdict(report)).toBe(
      "3 of 5,000 rows are not the same in TimescaleDB, as few as the thresholds allow.",
    );
  });

  test("says so where not all differing rows were counted", () => {
    const tables = [tableOf({ name: "price_history", differingRows: 10, complete: false })];
    expect(verdict({ ...failingReport(), tables })).toMatch(/^At least 10 of/);
  });

  test("says that all rows are the same where something else failed", () => {
    const report = passingReport();
    const slow = { name: "query latest 10x", status: "FAIL", expected: "10", actual: "2", ms: 0 } as const;
    expect(verdict({ ...report, status: "FAIL", checks: [...report.checks, slow] })).toBe(
      "All 2,000 rows are the same, but 1 check failed: query latest 10x.",
    );
  });

  test("does not blame rows that the thresholds allow", () => {
    const tables = [tableOf({ name: "prices", differingRows: 2 })];
    const slow = { name: "query latest 10x", status: "FAIL", expected: "10", actual: "2", ms: 0 } as const;
    expect(verdict({ ...failingReport(), tables, checks: [slow] })).toBe("1 check failed: query latest 10x.");
  });

  test("names what failed of a table where no row differs", () => {
    const report = failingReport();
    const tables = report.tables.map((table) => ({
      ...table,
      differingRows: 0,
      unfitRows: 0,
      differences: [],
    }));
    expect(verdict({ ...report, tables })).toBe(
      "2 checks failed: price_history checksum and options rejects of <strike>.",
    );
  });
});

describe("changed parts", () => {
  const marked = (a: string, b: string) => changedParts(a, b).map(({ text }) => text);

  test("are what lies between the same beginning and end", () => {
    expect(marked("abcd", "abxd")).toEqual(["ab<mark>c</mark>d", "ab<mark>x</mark>d"]);
    expect(marked("aa", "aaa")).toEqual(["aa", "aa<mark>a</mark>"]);
    expect(marked("🚀a", "🚁a")).toEqual(["<mark>🚀</mark>a", "<mark>🚁</mark>a"]);
  });

  test("stay visible in a long value", () => {
    const [ours = ""] = marked(
      `${"x".repeat(5000)}a${"y".repeat(5000)}`,
      `${"x".repeat(5000)}b${"y".repeat(5000)}`,
    );
    expect(ours).toMatch(/x{60}<mark>a<\/mark>y{60}/);
    expect(ours).toContain("4,940 characters");
    expect(ours.length).toBeLessThan(500);
  });
});

test("JSON of both sides is shown in one order, with its numbers as they are", () => {
  expect(
    alignedJson(
      '{"b": 12345678901234567890, "a":[1.0,{"d":1,"c":2}]}',
      '{"a": [1, {"c": 2, "d": 1}], "b": 5}',
    ),
  ).toEqual([
    '{ "a": [ 1.0, { "c": 2, "d": 1 } ], "b": 12345678901234567890 }',
    '{ "a": [ 1, { "c": 2, "d": 1 } ], "b": 5 }',
  ]);
  expect(alignedJson('{"a":1,"b":2}', '{"b": 2, "a": 1}')).toBeUndefined();
  expect(alignedJson("{", "{}")).toBeUndefined();
  expect(alignedJson("12", "13")).toBeUndefined();
});

test("a scale keeps every value on it, and the least one visible", () => {
  for (const values of [[0], [0, 0], [1, 1], [0.1, 3], [1, 1000], [0, 99_999], [0.3, 7, 6.1], [10, 10_000]]) {
    const scale = scaleOf(values);
    for (const value of values) expect([values, scale.at(value) <= 100]).toEqual([values, true]);
    if (scale.logarithmic) expect(scale.at(Math.min(...values))).toBeGreaterThan(0);
    expect(scale.at(scale.ticks[0] ?? 1)).toBe(0);
    expect(scale.at(scale.ticks.at(-1) ?? 1)).toBe(100);
  }
});
