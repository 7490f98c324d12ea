import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Dashboard } from "../migrations/dashboard.ts";
import { coreDashboards } from "../stacks/monitoring/dashboards/core.ts";
import { standardLimits } from "../stacks/monitoring/dashboards/limits.ts";
import { renderDashboard } from "../stacks/monitoring/dashboards/render.ts";
import { workloadDashboards } from "../stacks/monitoring/dashboards/workload-dashboards.ts";
import { allSeries } from "../stacks/monitoring/series.ts";
import { findWorkload } from "../stacks/workload.ts";
import { filledPromQl, panelsOf } from "./dashboard-queries.ts";
import { requirePromQl } from "./promtool.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-dashboards-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ofWorkload = async (name: string) =>
  workloadDashboards(await findWorkload({ name, path: "", options: {} }));
const dashboards = [
  ...coreDashboards(),
  ...(await ofWorkload("stockula")),
  ...(await ofWorkload("forward-factor")),
];
const panels = panelsOf(dashboards);
const rendered = new Map(
  dashboards.map((dashboard) => [dashboard.uid, JSON.parse(renderDashboard(dashboard))]),
);

test("there is one for health, queries, the migration, and each workload", () => {
  expect(dashboards.map(({ uid }) => uid)).toEqual([
    ...["timelift-health", "timelift-queries", "timelift-migration"],
    ...["timelift-stockula", "timelift-forward-factor"],
  ]);
});

describe.each(dashboards.map((dashboard) => [dashboard.uid, dashboard] as const))("%s", (uid, dashboard) => {
  const json = rendered.get(uid);

  test("has one id for each panel, and no panel lies over another", () => {
    const ids = json.panels.map((panel: { id: number }) => panel.id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of json.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x, title).toBeLessThan(24);
          expect(taken.get(`${x},${y}`), `${title} at ${x},${y}`).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  test("each panel has title, description, unit, what is said of no data, and queries with letters of their own", () => {
    const shown = json.panels.filter(({ type }: { type: string }) => type !== "row");
    expect(shown).toHaveLength(panelsOf([dashboard]).length);
    for (const { title, description, fieldConfig, targets } of shown) {
      expect(title).toMatch(/\S/);
      expect(description.length, title).toBeGreaterThan(15);
      expect(fieldConfig.defaults.unit, title).toMatch(/\S/);
      expect(fieldConfig.defaults.noValue, title).toMatch(/\S/);
      const letters = targets.map(({ refId }: { refId: string }) => refId);
      expect(new Set(letters).size, title).toBe(letters.length);
      expect(letters.length, title).toBeGreaterThan(0);
    }
  });

  test("uses no variable that it does not have", () => {
    const known = new Set(json.templating.list.map(({ name }: { name: string }) => name));
    const used = JSON.stringify(json.panels).matchAll(/\$\{?(?!__)([a-z_]+)/g);
    for (const [, name] of used) expect(known, name).toContain(name);
  });

  test("is the same text each time", () => {
    expect(renderDashboard(dashboard)).toBe(renderDashboard(structuredClone(dashboard)));
  });
});

const promql = panels.flatMap(({ name, panel }) =>
  panel.queries.flatMap((query) => ("promql" in query ? [{ name, promql: query.promql }] : [])),
);

test("Prometheus parses every expression", { timeout: 300_000 }, () => {
  expect(promql.length).toBeGreaterThan(40);
  for (const each of promql) {
    expect(() => requirePromQl(filledPromQl(each.promql)), each.name).not.toThrow();
  }
  expect(() => requirePromQl("sum(rate(x[5m])")).toThrow("unclosed left parenthesis");
});

test("every expression uses series of the contract only, and labels that they have", () => {
  for (const each of promql) {
    const selectors = [...each.promql.matchAll(/(timelift[:_][a-z0-9_]+)\{([^}]*)\}/g)];
    expect(selectors.length, each.name).toBeGreaterThan(0);
    expect([...each.promql.matchAll(/timelift[:_]/g)], each.name).toHaveLength(selectors.length);
    for (const [, series = "", matchers = ""] of selectors) {
      const labels = [...matchers.matchAll(/(\w+)="/g)].map(([, label]) => label as string);
      expect(Object.keys(allSeries), each.name).toContain(series);
      expect(["stack", ...(allSeries[series]?.labels ?? [])], each.name).toEqual(
        expect.arrayContaining(labels),
      );
    }
  }
});

test("legends name labels that their series have", () => {
  for (const { name, panel } of panels) {
    for (const query of panel.queries) {
      if (!("promql" in query) || query.legend === undefined) continue;
      const series = /(timelift[:_][a-z0-9_]+)\{/.exec(query.promql)?.[1] ?? "";
      for (const [, label] of query.legend.matchAll(/\{\{(\w+)\}\}/g)) {
        expect(allSeries[series]?.labels, `${name}: ${label}`).toContain(label);
      }
    }
  }
});

test("a panel of a series that a healthy stack may lack says why it is empty", () => {
  const mayLack = coreDashboards();
  for (const { name, panel } of panelsOf(mayLack)) {
    const json = rendered.get(name.split(":")[0] as string);
    const shown = json.panels.find(({ title }: { title: string }) => title === panel.title);
    const series = panel.queries.map((query) =>
      "promql" in query ? /timelift[:_][a-z0-9_]+/.exec(query.promql)?.[0] : undefined,
    );
    const reasons = series.map((each) => (each ? allSeries[each]?.emptyWhen : undefined));
    if (panel.empty === undefined && reasons.every((reason) => reason !== undefined)) {
      expect(shown.fieldConfig.defaults.noValue, name).toBe(reasons[0]);
    }
  }
});

test("limits are those of the alerts: a stack's own stand in its panels", () => {
  const [, queries] = coreDashboards({ ...standardLimits, queryP95Seconds: 7 });
  const json = JSON.parse(renderDashboard(queries as Dashboard));
  const steps = json.panels.find(({ title }: { title: string }) => title === "95th percentile").fieldConfig
    .defaults.thresholds.steps;
  expect(steps.at(-1)).toEqual({ value: 7, color: "red" });
});

test("days are counted back from the end of the data where their source ended, hours from now", () => {
  const timeOf = (dashboard: Dashboard) =>
    JSON.parse(renderDashboard(dashboard, { until: "2020-03-01" })).time;
  const [health] = coreDashboards();
  expect(timeOf(health as Dashboard)).toEqual({ from: "now-24h", to: "now" });
  const stockula = dashboards.find(({ uid }) => uid === "timelift-stockula");
  expect(timeOf(stockula as Dashboard)).toEqual({
    from: "2019-03-03T00:00:00.000Z",
    to: "2020-03-02T00:00:00.000Z",
  });
  expect(rendered.get("timelift-stockula").time).toEqual({ from: "now-365d", to: "now" });
});

test("panels link to the runbook of their alert where its address is known, and name it in any case", () => {
  const [health] = coreDashboards();
  const panelOf = (runbooks?: string) =>
    JSON.parse(renderDashboard(health as Dashboard, runbooks ? { runbooks } : {})).panels.find(
      ({ title }: { title: string }) => title === "Failing jobs",
    );
  expect(panelOf().description).toContain("docs/runbooks/job-failing.md");
  expect(panelOf().links).toBeUndefined();
  expect(panelOf("https://git.example/timelift/docs/runbooks").links[0].url).toBe(
    "https://git.example/timelift/docs/runbooks/job-failing.md",
  );
});

describe("a workload kept elsewhere", () => {
  async function bring(dashboardsText?: string) {
    const path = mkdtempSync(join(folder, "shop-"));
    mkdirSync(join(path, "migrations"));
    symlinkSync(join(import.meta.dirname, "..", "node_modules"), join(path, "node_modules"));
    writeFileSync(join(path, "loader.ts"), "export default { tables: { orders: {} } };\n");
    if (dashboardsText) writeFileSync(join(path, "dashboards.ts"), dashboardsText);
    return workloadDashboards(await findWorkload({ name: "shop", path, options: {} }));
  }
  const dashboard = (uid: string) =>
    `{ uid: "${uid}", title: "t", description: "d", range: { days: 1 }, rows: [] }`;

  test("may bring its own dashboards, and need not", async () => {
    expect(await bring()).toEqual([]);
    expect(await bring(`export default [${dashboard("shop")}];`)).toMatchObject([{ uid: "shop" }]);
  });

  test("cannot take the place of another", async () => {
    await expect(bring(`export default [${dashboard("timelift-health")}];`)).rejects.toThrow(
      "two dashboards",
    );
    await expect(bring(`export default [${dashboard("a")}, ${dashboard("a")}];`)).rejects.toThrow(
      "two dashboards",
    );
    await expect(bring(`export default [${dashboard("No Good")}];`)).rejects.toThrow("not up to 40");
    await expect(bring("export default {};")).rejects.toThrow("its default export is no list");
  });
});
