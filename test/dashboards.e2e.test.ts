import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { coreDashboards } from "../stacks/monitoring/dashboards/core.ts";
import { allSeries } from "../stacks/monitoring/series.ts";
import { isOnHost } from "../stacks/platforms/native/program.ts";
import { filledPromQl, panelsOf } from "./dashboard-queries.ts";
import { ProjectCopy } from "./project-copy.ts";

/** The longest wait for samples of all that is recorded, in seconds: some rates look back a minute. */
const patienceSeconds = 240;

/** What this stack has not: no replica, no columnstore on Apache, no change capture. */
const notHere = new Set(
  (
    [
      "timelift:replication_lag_seconds",
      "timelift:hypertable_overdue_chunks",
      "timelift_capture_lag_seconds",
    ] as const
  ).map((name) => allSeries[name]?.emptyWhen as string),
);

/** The demo, as Prometheus sees it. */
describe("every panel of metrics, on a stack that runs", () => {
  let project: ProjectCopy;
  beforeAll(async () => {
    project = await ProjectCopy.make({});
    await buildSample(join(project.dir, "app.db"));
    const alerts = { expectedUntil: { price_history: "2020-03-31" } };
    project.configure({ source: "app.db", dropData: true, ports: project.ports, alerts });
    const { exitCode, output } = await project.timelift("up");
    expect(exitCode, output).toBe(0);
  });
  afterAll(async () => {
    await project?.timelift("destroy");
    project?.remove();
  });

  /** As an application does. */
  async function useThePool(): Promise<void> {
    const { stdout } = await project.pulumi("stack", "output", "databaseUrl", "--show-secrets");
    const client = new pg.Client(project.fromHere(stdout.trim()));
    await client.connect();
    await client.query("SELECT count(*) FROM price_history");
    await client.end();
  }

  async function ask<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${project.ports.prometheus}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error) throw new Error(`${path}: ${error}`);
    return data;
  }
  const samplesOf = async (promql: string) => {
    const query = filledPromQl(promql, { stack: "dev", workload: "stockula" });
    return (await ask<{ result: unknown[] }>(`query?query=${encodeURIComponent(query)}`)).result.length;
  };
  const seriesIn = (promql: string) => [...promql.matchAll(/timelift[:_][a-z0-9_]+/g)].map(([name]) => name);

  test("has data, but for what this stack has not", { timeout: 600_000 }, async () => {
    const { groups } = await ask<{ groups: { rules: { name: string }[] }[] }>("rules");
    const recorded = new Set(groups.flatMap(({ rules }) => rules.map(({ name }) => name)));
    const isThere = (name: string) => name.startsWith("timelift_") || recorded.has(name);
    const wanted = panelsOf(coreDashboards()).flatMap(({ name, panel }) =>
      panel.queries.flatMap((query) => {
        if (!("promql" in query) || !seriesIn(query.promql).every(isThere)) return [];
        const mayLack = seriesIn(query.promql).some((each) => notHere.has(allSeries[each]?.emptyWhen ?? ""));
        return mayLack ? [] : [{ name, promql: query.promql }];
      }),
    );
    expect(wanted.length).toBeGreaterThan(recorded.size > 0 ? 40 : 4);
    let without = wanted;
    for (const end = Date.now() + patienceSeconds * 1000; without.length > 0 && Date.now() < end; ) {
      await useThePool();
      const found = await Promise.all(without.map(({ promql }) => samplesOf(promql)));
      without = without.filter((_, at) => found[at] === 0);
      if (without.length > 0) await sleep(1000);
    }
    expect(without).toEqual([]);
  });

  test("the migration is ready for its cutover, by the panel that says so", {
    timeout: 300_000,
  }, async () => {
    const ready = panelsOf(coreDashboards()).find(({ panel }) => panel.title === "Ready")?.panel.queries[0];
    if (ready === undefined || !("promql" in ready)) throw new Error("no such panel");
    const query = encodeURIComponent(filledPromQl(ready.promql, { stack: "dev", workload: "stockula" }));
    let values: string[] = [];
    for (const end = Date.now() + patienceSeconds * 1000; values.length === 0 && Date.now() < end; ) {
      const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${query}`);
      values = result.map(({ value }) => value[1]);
      if (values.length === 0) await sleep(1000);
    }
    expect(values).toEqual(["1"]);
  });

  test("the outputs lead to them, in Prometheus where there is no Grafana", async () => {
    const { stdout } = await project.pulumi("stack", "output", "--json");
    const { grafanaUrl, dashboards } = JSON.parse(stdout);
    if (isOnHost("grafana")) return expect(grafanaUrl).toBe(`http://127.0.0.1:${project.ports.grafana}`);
    expect(grafanaUrl).toBeNull();
    expect(Object.keys(dashboards).sort()).toEqual(["Migration", "Query performance", "TimescaleDB health"]);
    const page = await fetch(dashboards.Migration.Load);
    expect(page.status).toBe(200);
    const { output } = await project.timelift("preview");
    expect(output).toContain("no Grafana: ");
  });
});
