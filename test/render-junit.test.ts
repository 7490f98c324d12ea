import { describe, expect, test } from "vitest";
import { renderJunit } from "../loaders/validate/render-junit.ts";
import { failingReport, passingReport } from "./report-fixture.ts";

interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };

function unescaped(text: string): string {
  return text.replace(/&(?:(\w+)|#(\d+));/g, (whole, name: string | undefined, code: string | undefined) => {
    const character = name === undefined ? String.fromCharCode(Number(code)) : entities[name];
    if (character === undefined) throw new Error(`no such entity: ${whole}`);
    return character;
  });
}

/** A strict reader of what JUnit XML uses: it throws at whatever is not well formed. */
function parse(xml: string): Element {
  const outside = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(xml);
  if (outside) throw new Error(`character U+${outside[0].codePointAt(0)?.toString(16)} in XML`);
  let rest = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  while (rest !== "") {
    const at = open.at(-1) as Element;
    const text = /^[^<]+/.exec(rest)?.[0];
    const [tag, close, name = "", attributes = "", ends] =
      /^<(\/?)([a-z]+)((?: [a-z]+="[^"<\n]*")*)(\/?)>/.exec(rest) ?? [];
    if (text !== undefined) at.text += unescaped(text);
    else if (tag === undefined) throw new Error(`not well formed: ${rest.slice(0, 60)}`);
    else if (close) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`);
    } else {
      const pairs = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)];
      const values = pairs.map(([, key = "", value = ""]) => [key, unescaped(value)] as const);
      const child: Element = { name, attributes: Object.fromEntries(values), children: [], text: "" };
      at.children.push(child);
      if (!ends) open.push(child);
    }
    rest = rest.slice((text ?? tag ?? "").length);
  }
  const [only] = root.children;
  if (open.length !== 1 || root.children.length !== 1 || !only) throw new Error("not one closed element");
  return only;
}

describe("JUnit XML", () => {
  const report = failingReport();
  const suites = parse(renderJunit(report));
  const cases = suites.children.flatMap(({ children }) => children);

  test("has a suite for each table, the queries and the rest, with a case for each check", () => {
    expect(suites.attributes).toMatchObject({
      ...{ tests: "8", failures: "2", skipped: "1", time: "4.3210", timestamp: report.subject?.at },
    });
    expect(
      suites.children.map(({ attributes }) => [attributes.name, attributes.tests, attributes.failures]),
    ).toEqual([
      ["stocks", "1", "0"],
      ["price_history", "2", "1"],
      ["options", "2", "1"],
      ["queries", "2", "0"],
      ["all tables", "1", "0"],
    ]);
    expect(cases.map(({ attributes }) => attributes.name)).toEqual(report.checks.map(({ name }) => name));
    expect(cases[0]?.attributes).toMatchObject({ classname: "stockula.stocks", time: "0.0125" });
  });

  test("has a failure with what was expected and found, and the rows", () => {
    const failure = cases.find(({ attributes }) => attributes.name === "price_history checksum")?.children[0];
    expect(failure?.name).toBe("failure");
    expect(failure?.attributes.message).toMatch(/^expected 4e37\w+, found 5e37\w+$/);
    const lines = failure?.text.split("\n") ?? [];
    expect(lines.slice(1)).toEqual([
      "4 rows differ",
      "symbol 'AAPL', time '2010-03-01': close is '223.02' in the source, '223.03' in the target",
    ]);
  });

  test("has the reason of what was skipped", () => {
    const skipped = cases.find(({ attributes }) => attributes.name === "options key")?.children[0];
    expect([skipped?.name, skipped?.attributes.message]).toEqual([
      "skipped",
      "the source has none & nobody asked",
    ]);
  });

  test("stays XML whatever a value holds", () => {
    const nasty = Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).join("");
    const [check] = report.checks;
    const name = `${nasty}\ud800x\udc00\uffff\ufffe]]>`;
    const checks = [{ ...check, name, status: "FAIL", expected: name, actual: name, note: name } as never];
    const [suite] = parse(renderJunit({ ...report, checks, tables: [] })).children;
    expect(suite?.children[0]?.attributes.name).toContain("\u2400\u2401");
    expect(suite?.children[0]?.children[0]?.text).toContain("\t\n");
    expect(suite?.children[0]?.attributes.name).toContain("\t\n");
  });

  test("without a failure says none", () => {
    expect(parse(renderJunit(passingReport())).attributes).toMatchObject({ tests: "2", failures: "0" });
  });
});
