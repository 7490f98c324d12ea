import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { coreDashboards } from "../stacks/monitoring/dashboards/core.ts";
import { renderDashboard } from "../stacks/monitoring/dashboards/render.ts";
import { postgresSource, prometheusSource } from "../stacks/monitoring/dashboards/sources.ts";
import { grafanaLack } from "../stacks/monitoring/grafana-lack.ts";
import { prometheusLinks } from "../stacks/monitoring/prometheus-links.ts";
import { grafanaFiles } from "../stacks/platforms/grafana-files.ts";
import { isOnHost } from "../stacks/platforms/native/program.ts";
import { grafana } from "../stacks/services/grafana.ts";
import { serviceNames } from "../stacks/services/service.ts";
import { panelsOf } from "./dashboard-queries.ts";
import { freePorts, NativeStack, stackSecrets } from "./native-stack.ts";
import { requirePromQl } from "./promtool.ts";

const dashboards = Object.fromEntries(coreDashboards().map((each) => [each.uid, renderDashboard(each)]));
const database = { port: 15432, name: "timelift", user: "timelift_readonly" };
const place = {
  ...{
    conf: "/conf",
    data: "/data",
    listen: "127.0.0.1",
    databaseHost: "127.0.0.1",
    prometheusHost: "127.0.0.1",
  },
  ...{
    adminPasswordFile: "/secrets/admin",
    sourcePasswordFile: "/secrets/source",
    authorityFile: "/conf/ca.pem",
  },
};
const sourcesOf = (files: Record<string, string>) =>
  JSON.parse(files["provisioning/datasources/timelift.yaml"] as string).datasources;

describe("what Grafana is told", () => {
  const files = grafanaFiles(grafana({ port: 13000, database, prometheusPort: 19090, dashboards }), place);

  test("nobody gets in without the admin's password, which is in a file", () => {
    const ini = files["grafana.ini"] as string;
    expect(ini).toMatch(/^\[auth\.anonymous\]\nenabled = false$/m);
    expect(ini).toContain("allow_sign_up = false");
    expect(ini).toContain("http_addr = 127.0.0.1\nhttp_port = 13000");
    expect(ini).toContain("admin_password = $__file{/secrets/admin}");
    expect(ini.match(/^\[(.*)\]$/gm)).toEqual([...new Set(ini.match(/^\[(.*)\]$/gm))]);
  });

  test("its data sources are those that dashboards name, read as the role that reads", () => {
    const [metrics, target, ...more] = sourcesOf(files);
    expect(more).toEqual([]);
    expect(metrics).toMatchObject({ ...prometheusSource, url: "http://127.0.0.1:19090", editable: false });
    expect(target).toMatchObject({ ...postgresSource, url: "127.0.0.1:15432", user: "timelift_readonly" });
    expect(target.jsonData).toMatchObject({ database: "timelift", sslmode: "disable" });
    expect(target.secureJsonData).toEqual({ password: "$__file{/secrets/source}" });
  });

  test("a server that speaks TLS is checked against its authority", () => {
    const declaration = grafana({
      port: 1,
      database: { ...database, host: "db.example", sslmode: "verify-full" },
      dashboards,
    });
    const [target] = sourcesOf(grafanaFiles(declaration, place));
    expect(target).toMatchObject({ url: "db.example:15432" });
    expect(target.jsonData).toMatchObject({
      ...{ sslmode: "verify-full", tlsConfigurationMethod: "file-path", sslRootCertFile: "/conf/ca.pem" },
    });
  });

  test("every dashboard is a file of its own, as it was made", () => {
    const provider = JSON.parse(files["provisioning/dashboards/timelift.yaml"] as string).providers[0];
    expect(provider).toMatchObject({ allowUiUpdates: false, options: { path: "/conf/dashboards" } });
    for (const [uid, json] of Object.entries(dashboards)) expect(files[`dashboards/${uid}.json`]).toBe(json);
    expect(files["grafana.ini"]).toContain(
      "default_home_dashboard_path = /conf/dashboards/timelift-health.json",
    );
  });
});

describe("where there is no Grafana", () => {
  const services = serviceNames.filter((name) => name !== "timescaledb");

  test("it is said why", () => {
    const lack = (changed: object) => grafanaLack({ services, platform: "docker", images: {}, ...changed });
    expect(lack({})).toBeUndefined();
    expect(lack({ images: "sysroot" })).toContain("Debian tree");
    expect(lack({ services: ["prometheus"] })).toContain("timelift:services");
    expect(lack({ platform: "native" }) === undefined).toBe(isOnHost("grafana"));
  });

  const values = { stack: "dev", workload: "stockula" };
  const links = prometheusLinks(coreDashboards(), { prometheusUrl: "http://127.0.0.1:19090", values });

  test("Prometheus' own page shows the expression of every panel of metrics", () => {
    const shown = Object.values(links)
      .flatMap((rows) => Object.values(rows))
      .flatMap((url) =>
        [...new URL(url).searchParams].flatMap(([name, value]) => (/expr$/.test(name) ? [value] : [])),
      );
    for (const { panel } of panelsOf(coreDashboards())) {
      const asked = panel.queries.filter((query) => "promql" in query).length;
      const found = shown.filter((expression) => expression.endsWith(` # ${panel.title}`));
      expect(found.length, panel.title).toBe(asked);
    }
    expect(shown.join()).not.toContain("$");
    expect(shown.join()).toContain('timelift:database_up{stack="dev"} # Database');
  });

  test("and parses what it is given", { timeout: 300_000 }, () => {
    for (const url of Object.values(links.Migration ?? {})) {
      for (const [name, value] of new URL(url).searchParams) {
        if (name.endsWith("expr")) expect(() => requirePromQl(value), value).not.toThrow();
      }
    }
  });
});

/**
 * Says what it was started with, in place of Grafana, at Grafana's address: its arguments, and the files and passwords
 * that they lead to.
 */
const reporter = `#!${process.execPath}
const { readFileSync, readdirSync } = require("node:fs");
if (process.argv.includes("--version")) { console.log("grafana version 12.0.0"); process.exit(); }
const args = process.argv.slice(2);
const of = (name) => args.find((arg) => arg.startsWith(name + "="))?.slice(name.length + 1);
const ini = readFileSync(of("--config"), "utf8");
const file = (path) => readFileSync(path, "utf8");
const provisioning = of("cfg:paths.provisioning");
const sources = file(provisioning + "/datasources/timelift.yaml");
const boards = JSON.parse(file(provisioning + "/dashboards/timelift.yaml")).providers[0].options.path;
const report = {
  admin: file(/__file{(.*)}/.exec(ini)[1]),
  source: file(/__file{(.*?)}/.exec(sources)[1]),
  dashboards: readdirSync(boards),
  secretArguments: args.concat(Object.values(process.env)).filter((text) => /Zq8/.test(text)),
};
require("node:fs").writeFileSync(of("cfg:paths.data") + "/written", "");
require("node:http").createServer((request, response) => response.end(JSON.stringify(report)))
  .listen(Number(/http_port = (\\d+)/.exec(ini)[1]), /http_addr = (.*)/.exec(ini)[1]);
`;

describe("on the native platform", () => {
  const stack = new NativeStack();
  const folder = mkdtempSync(join(tmpdir(), "timelift-grafana-"));
  const path = process.env.PATH;
  let port: number;
  beforeAll(async () => {
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "grafana"), reporter);
    chmodSync(join(folder, "bin", "grafana"), 0o755);
    [port] = (await freePorts(1)) as [number];
  });
  afterAll(async () => {
    process.env.PATH = path;
    await stack.remove();
    rmSync(folder, { recursive: true });
  });

  /** What the program says. */
  async function reported(): Promise<{ dashboards: string[] }> {
    return (await (await fetch(`http://127.0.0.1:${port}/api/health`)).json()) as { dashboards: string[] };
  }

  test("a machine without one says so, and names what to do", async ({ skip }) => {
    if (isOnHost("grafana")) skip("this machine has a Grafana");
    const declaration = grafana({ port, database, dashboards });
    await expect(stack.start(declaration)).rejects.toThrow("this machine has no Grafana 11.0 or newer");
  });

  test("a program called grafana is found, and reads its passwords and dashboards from files of its own", async () => {
    process.env.PATH = `${join(folder, "bin")}:${path}`;
    expect(isOnHost("grafana")).toBe(true);
    const declaration = grafana({ port, database, dashboards });
    const secrets = { ...stackSecrets, grafana: "grafana-Zq87" };
    expect(await stack.start(declaration, secrets)).toMatchObject({ version: "12.0.0", port });
    const report = await reported();
    expect(report).toEqual({
      ...{ admin: "grafana-Zq87", source: stackSecrets.timelift_readonly, secretArguments: [] },
      dashboards: Object.keys(dashboards)
        .sort()
        .map((uid) => `${uid}.json`),
    });
    const own = join(stack.stateDir, "services", "grafana");
    for (const file of [
      "secrets/grafana-admin-password",
      "secrets/grafana-source-password",
      "conf/grafana.ini",
    ]) {
      expect(statSync(join(own, file)).mode & 0o777, file).toBe(0o600);
    }
    expect(readFileSync(join(own, "service.json"), "utf8")).not.toContain("Zq8");
  });

  test("a dashboard that is declared no more is gone", async () => {
    const { "timelift-health": health = "" } = dashboards;
    const declaration = grafana({ port, database, dashboards: { "timelift-health": health } });
    await stack.start(declaration, { ...stackSecrets, grafana: "grafana-Zq87" });
    const report = await reported();
    expect(report.dashboards).toEqual(["timelift-health.json"]);
  });
});

/** A real Grafana to load the dashboards into. */
const missing = isOnHost("grafana") ? undefined : "no grafana is on this machine";
if (missing) console.log(`SKIP dashboards in a real Grafana: ${missing}`);

describe.skipIf(missing)("a real Grafana", () => {
  const stack = new NativeStack();
  let port: number;
  beforeAll(async () => {
    [port] = (await freePorts(1)) as [number];
    const declaration = grafana({ port, database, prometheusPort: 19090, dashboards });
    await stack.start(declaration, { ...stackSecrets, grafana: "grafana-Zq87" });
  });
  afterAll(() => stack.remove());

  const ask = (path: string, password = "grafana-Zq87") =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}` },
    });

  test("takes every dashboard and both data sources, and lets nobody else in", async () => {
    expect((await fetch(`http://127.0.0.1:${port}/api/search`)).status).toBe(401);
    expect((await ask("/api/search", "admin")).status).toBe(401);
    const sources = (await (await ask("/api/datasources")).json()) as { uid: string }[];
    expect(sources.map(({ uid }) => uid).sort()).toEqual([postgresSource.uid, prometheusSource.uid].sort());
    for (const uid of Object.keys(dashboards)) {
      const { dashboard, meta } = (await (await ask(`/api/dashboards/uid/${uid}`)).json()) as {
        dashboard: { panels: unknown[] };
        meta: { provisioned: boolean };
      };
      expect(dashboard.panels.length).toBe(JSON.parse(dashboards[uid] as string).panels.length);
      expect(meta.provisioned).toBe(true);
    }
  });
});
