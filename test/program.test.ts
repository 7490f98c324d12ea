import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { recordResources } from "./docker-resources.ts";
import { type ProgramRun, runProgram } from "./program-resources.ts";

/** index.ts itself, on each platform. */
describe("the program", () => {
  const dir = mkdtempSync(join(tmpdir(), "timelift-program-"));
  const source = join(dir, "app.db");
  const password = "external-Zq91";
  const targetUrl = `postgresql://app_owner:${password}@db.example.com:5432/app?sslmode=verify-full`;
  const runs: Record<string, ProgramRun> = {};

  beforeAll(async () => {
    await buildSample(source);
    await recordResources();
    runs.native = await runProgram({ source });
    runs.docker = await runProgram({ source, platform: "docker", databaseThrough: "builtin" });
    runs.plugin = await runProgram({ source, platform: "docker", databaseThrough: "plugin" });
    runs.external = await runProgram({ source, platform: "external", targetUrl }, ["targetUrl"]);
    runs.everything = await runProgram(
      { source, platform: "external", targetUrl, services: ["pgbouncer", "redis", "prometheus"] },
      ["targetUrl"],
    );
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const namesOf = (run: ProgramRun | undefined) =>
    (run?.resources ?? []).map(({ type, name }) => `${type.split(":").at(-1)} ${name}`).sort();
  /** What belongs to how services become real, and to nothing else. */
  const ofPlatform =
    /^(NativeService|DockerService|ExternalDatabase|SysrootImage|RemoteImage|Certificates|Network|Volume|Container) |^Credentials (superuser|grafana-admin)$|^(DatabaseContents|postgresql|Role|Database|Extension|Schema|Grant|DefaultPrivileges) /;
  const shared = (run: ProgramRun | undefined) => namesOf(run).filter((name) => !ofPlatform.test(name));
  const find = (run: ProgramRun | undefined, wanted: string) => {
    const found = run?.resources.find(({ type, name }) => `${type.split(":").at(-1)} ${name}` === wanted);
    if (found === undefined) throw new Error(`no ${wanted} among ${namesOf(run).join(", ")}`);
    return found;
  };

  test("declares the same on the three platforms, but for the platform's own resources", () => {
    expect(shared(runs.native)).toEqual(
      expect.arrayContaining([
        "Credentials credentials",
        "Migrations keys",
        "Migrations tables",
        "SqliteLoad load",
        "Validation validation",
      ]),
    );
    expect(shared(runs.docker)).toEqual(shared(runs.native));
    expect(shared(runs.external)).toEqual(shared(runs.native));
    expect(shared(runs.plugin)).toEqual(shared(runs.native));
  });

  test("differs by who makes what is inside the database in that alone", () => {
    const ofPlugin = /^(DatabaseContents|postgresql|Role|Database|Extension|Schema|Grant|DefaultPrivileges) /;
    expect(namesOf(runs.plugin).filter((name) => !ofPlugin.test(name))).toEqual(namesOf(runs.docker));
    expect(namesOf(runs.plugin).filter((name) => ofPlugin.test(name)).length).toBeGreaterThan(40);
    expect(runs.plugin?.outputs).toEqual(runs.docker?.outputs);
    for (const wanted of ["Migrations tables", "Container pgbouncer"]) {
      const { dependencies } = find(runs.plugin, wanted);
      expect(dependencies).toContain("postgresql:index/role:Role::timelift_owner_b");
      expect(dependencies).toContain(
        "postgresql:index/defaultPrivileges:DefaultPrivileges::timelift.timelift-tables-timelift_readonly",
      );
    }
  });

  test("gives those the same inputs, but for where the target is and who logs in", () => {
    for (const wanted of shared(runs.native)) {
      const native = find(runs.native, wanted).inputs;
      for (const platform of ["docker", "plugin", "external"] as const) {
        const other = find(runs[platform], wanted).inputs;
        const differing = [...new Set([...Object.keys(native), ...Object.keys(other)])].filter(
          (key) => JSON.stringify(native[key]) !== JSON.stringify(other[key]),
        );
        const allowed = platform === "external" ? ["target", "user", "password", "recorder"] : [];
        expect([platform, wanted, differing.filter((key) => !allowed.includes(key))]).toEqual([
          platform,
          wanted,
          [],
        ]);
      }
    }
  });

  test("waits for the database before it migrates, on each platform by its own resource", () => {
    for (const [platform, kind] of [
      ["native", "NativeService"],
      ["docker", "DockerService"],
      ["external", "ExternalDatabase"],
    ] as const) {
      const { dependencies } = find(runs[platform], "Migrations tables");
      expect([platform, dependencies]).toEqual([
        platform,
        expect.arrayContaining([`pulumi-nodejs:dynamic/timelift:${kind}::timescaledb`]),
      ]);
    }
  });

  test("shows no password that is not a secret", () => {
    for (const { resources } of Object.values(runs)) {
      for (const { name, inputs, secrets } of resources) {
        const open = Object.entries(inputs).filter(([key]) => !secrets.includes(key));
        const text = JSON.stringify(open);
        expect([name, text.includes("-Zq")]).toEqual([name, false]);
      }
    }
    for (const kind of ["Migrations tables", "Migrations keys", "SqliteLoad load", "Validation validation"]) {
      for (const run of Object.values(runs)) expect(find(run, kind).secrets).toContain("password");
    }
  });

  test("beside an external database runs what is named, and nothing by default", () => {
    expect(namesOf(runs.external).filter((name) => name.startsWith("NativeService"))).toEqual([]);
    expect(namesOf(runs.everything).filter((name) => name.startsWith("NativeService"))).toEqual([
      "NativeService pgbouncer",
      "NativeService prometheus",
      "NativeService redis",
    ]);
  });

  test.each([
    ["native", { source, protect: true }, ["timescaledb"]],
    [
      "docker",
      { source, protect: true, platform: "docker", databaseThrough: "builtin" },
      ["alertmanager-data", "grafana-data", "prometheus-data", "redis-data", "timescaledb-data"],
    ],
    ["external", { source, protect: true, platform: "external", targetUrl }, ["timescaledb"]],
  ])(
    "in a protected stack on %s Pulumi refuses to delete what holds rows",
    async (_platform, config, kept) => {
      const { resources } = await runProgram(config, ["targetUrl"]);
      const found = resources.filter(({ protect }) => protect).map(({ name }) => name);
      expect(found.sort()).toEqual(kept);
    },
  );

  test("ends in outputs of which the URLs with passwords, and no others, are secret", () => {
    for (const [platform, { outputs }] of Object.entries(runs)) {
      for (const [name, { value, isSecret }] of Object.entries(outputs)) {
        const hasPassword = JSON.stringify(value ?? "").includes("-Zq");
        expect([platform, name, isSecret]).toEqual([platform, name, hasPassword]);
      }
      expect(outputs.databaseUrl?.isSecret).toBe(true);
      expect(outputs.directUrl?.isSecret).toBe(true);
    }
    expect(runs.native?.outputs.redisUrl).toEqual({
      value: "redis://timelift_app:redis-Zq86@127.0.0.1:16379/0",
      isSecret: true,
    });
    expect(runs.native?.outputs.endpoints?.value).toMatchObject({ timescaledb: "127.0.0.1:15432" });
    expect(runs.docker?.outputs.endpoints?.value).toMatchObject({ pgbouncer: "pgbouncer:16432" });
    expect(runs.external?.outputs.endpoints?.value).toEqual({ timescaledb: "db.example.com:5432" });
  });

  test("has no output that docs/environments.md does not describe, nor one that is not there", () => {
    const page = readFileSync(join(import.meta.dirname, "..", "docs", "environments.md"), "utf8");
    const outputs = page.slice(page.indexOf("## Outputs"));
    const described = [...outputs.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect([...described].sort()).toEqual(Object.keys(runs.docker?.outputs ?? {}).sort());
  });
});
