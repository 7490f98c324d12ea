import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { documentThresholds, strictThresholds } from "../loaders/validate/thresholds.ts";
import { alerts } from "../stacks/alert-config.ts";
import { parseConfig } from "../stacks/config.ts";

const parse = (raw: Record<string, string>) =>
  parseConfig(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [`timelift:${key}`, value])),
    "dev",
  );

const problem = (raw: Record<string, string>) => {
  try {
    parse(raw);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the config was accepted");
};

describe("the stack's config", () => {
  test("needs nothing but a source", () => {
    const config = parse({ source: "app.db" });
    expect(config).toMatchObject({
      stack: "dev",
      source: "app.db",
      workload: "stockula",
      dropData: false,
      ports: {
        ...{ timescaledb: 15432, pgbouncer: 16432, redis: 16379, prometheus: 19090 },
        ...{ "postgres-exporter": 19187, "pgbouncer-exporter": 19127 },
        ...{ "redis-exporter": 19121, "node-exporter": 19100, alertmanager: 19093, grafana: 13000 },
      },
      alerts: alerts.parse({}),
      receivers: {},
    });
  });

  test("reads numbers, flags and objects from the text that Pulumi hands over", () => {
    const config = parse({ source: "a", memoryMb: "512", dropData: "true", ports: '{"redis":6400}' });
    expect(config.memoryMb).toBe(512);
    expect(config.dropData).toBe(true);
    expect(config.ports).toMatchObject({ redis: 6400, timescaledb: 15432 });
  });

  test("says how much the cache holds, and what it lets go of", () => {
    expect(parse({ source: "a" }).redis).toEqual({ maxMemoryMb: 256, policy: "allkeys-lru" });
    expect(parse({ source: "a", redis: '{"maxMemoryMb":"64","policy":"volatile-ttl"}' }).redis).toEqual({
      maxMemoryMb: 64,
      policy: "volatile-ttl",
    });
    const message = problem({ source: "a", redis: '{"policy":"lru","maxMemoryMb":0,"maxmemory":1}' });
    expect(message).toContain('timelift:redis.policy = "lru": one of Redis\' own: noeviction, allkeys-lru');
    expect(message).toContain("pulumi config set --path timelift:redis.policy allkeys-lru");
    expect(message).toContain("pulumi config set --path timelift:redis.maxMemoryMb 256");
    expect(message).toContain("timelift:redis.maxmemory: no such key; known are maxMemoryMb, policy");
  });

  test("says who makes what is inside the database, which nobody of ours does in one of others", () => {
    expect(parse({ source: "a" }).databaseThrough).toBe("");
    expect(parse({ source: "a", databaseThrough: "plugin" }).databaseThrough).toBe("plugin");
    const message = problem({ source: "a", databaseThrough: "terraform" });
    expect(message).toContain('timelift:databaseThrough = "terraform": plugin or builtin');
    expect(message).toContain("pulumi config set timelift:databaseThrough builtin");
    expect(problem({ source: "a", platform: "external", databaseThrough: "plugin" })).toContain(
      'timelift:databaseThrough = "plugin": it has no use, for timelift:platform is external',
    );
  });

  test("refuses to drop anything on a protected stack, and names both keys", () => {
    expect(parse({ source: "a", protect: "true" })).toMatchObject({ protect: true, dropData: false });
    const message = problem({ source: "a", protect: "true", dropData: "true", dropRows: "true" });
    for (const key of ["dropData", "dropRows"]) {
      expect(message).toContain(`timelift:${key} = "true": timelift:protect is on`);
      expect(message).toContain(`pulumi config set timelift:${key} false`);
    }
    expect(message).toContain("pulumi config set timelift:protect false");
  });

  test("reports every problem at once, each with its value and the line that mends it", () => {
    const message = problem({
      memoryMb: "12",
      validate: "sometimes",
      maxRejects: "a few",
      ports: '{"redis":99999,"mysql":3306}',
      colour: "blue",
    });
    expect(message).toContain("timelift:source: no SQLite file is named");
    expect(message).toContain("pulumi config set timelift:source path/to/app.db");
    expect(message).toContain('timelift:memoryMb = "12"');
    expect(message).toContain('timelift:validate = "sometimes"');
    expect(message).toContain('timelift:maxRejects = "a few": a number of rows');
    expect(message).toContain("pulumi config set timelift:maxRejects 0.1%");
    expect(message).toMatch(/"changed"\|"always"/);
    expect(message).toContain("timelift:ports.redis = 99999");
    expect(message).toContain("pulumi config set --path timelift:ports.redis 15433");
    expect(message).toContain("timelift:ports.mysql: no such key");
    expect(message).toContain("timelift:colour: no such key");
    expect(message).toContain("pulumi config rm --path timelift:colour");
  });

  test("takes thresholds as a preset's name, or as keys in place of strict ones", () => {
    expect(parse({ source: "a" }).thresholds).toEqual(strictThresholds);
    expect(parse({ source: "a", thresholds: "documents" }).thresholds).toEqual(documentThresholds);
    const keys = '{"completeness":"0.99","querySeconds":2}';
    expect(parse({ source: "a", thresholds: keys }).thresholds).toEqual({
      ...strictThresholds,
      completeness: 0.99,
      querySeconds: 2,
    });
  });

  test("says what is wrong with a threshold", () => {
    expect(problem({ source: "a", thresholds: "lax" })).toContain(
      'timelift:thresholds = "lax": neither a preset (strict, documents) nor an object of thresholds\n' +
        "    pulumi config set timelift:thresholds strict",
    );
    const message = problem({
      source: "a",
      thresholds: '{"discrepancy":"0.1 %","completeness":99.9,"rejectedRows":"","rows":1}',
    });
    expect(message).toContain('timelift:thresholds.discrepancy = "0.1 %"');
    expect(message).toContain("timelift:thresholds.completeness = 99.9");
    expect(message).toContain('timelift:thresholds.rejectedRows = ""');
    expect(message).toContain("timelift:thresholds.rows: no such key; known are differingRows, discrepancy");
    expect(message).toContain("pulumi config rm --path timelift:thresholds.rows");
    expect(problem({ source: "a", thresholds: "[1]" })).toContain("neither a preset");
  });

  test("takes images by service, or sysroot, and addresses to publish at", () => {
    expect(parse({ source: "a" })).toMatchObject({ images: {}, publish: { timescaledb: "127.0.0.1" } });
    expect(parse({ source: "a", images: "sysroot" }).images).toBe("sysroot");
    expect(parse({ source: "a", images: '{"redis":"redis:8"}' }).images).toEqual({ redis: "redis:8" });
    expect(parse({ source: "a", publish: '{"redis":"10.0.0.1"}' }).publish).toEqual({
      ...{ timescaledb: "127.0.0.1", redis: "10.0.0.1" },
    });
  });

  test("says what is wrong with an image or an address", () => {
    expect(problem({ source: "a", images: "debian" })).toContain(
      'timelift:images = "debian": neither sysroot nor an object of references, by service: timescaledb',
    );
    expect(problem({ source: "a", publish: '{"redis":"db.example.com"}' })).toContain(
      'timelift:publish.redis = "db.example.com": an IP address of the engine\'s machine\n' +
        "    pulumi config set --path timelift:publish.redis 127.0.0.1",
    );
    const message = problem({ source: "a", publish: '{"mysql":"127.0.0.1"}' });
    expect(message).toContain("timelift:publish.mysql: no such key; known are timescaledb, pgbouncer");
  });

  test("takes limits of roles, a time with its unit, and extensions in one order", () => {
    expect(parse({ source: "a" })).toMatchObject({ passwordGeneration: 1, roles: {}, extensions: [] });
    const roles =
      '{"app":{"statementTimeout":"5min","connections":"none"},"loader":{"lockTimeout":"none","connections":4}}';
    expect(parse({ source: "a", roles }).roles).toEqual({
      timelift_app: { statementTimeout: 300_000, connections: 0 },
      timelift_loader: { lockTimeout: 0, connections: 4 },
    });
    const { extensions } = parse({ source: "a", extensions: '["pg_cron","vector"]' });
    expect(extensions).toEqual(["vector", "pg_cron"]);
  });

  test("says what is wrong with a limit, an extension, or the number of the passwords", () => {
    const roles = '{"app":{"statementTimeout":"30","lockTimeout":5,"memory":"1GB"},"root":{}}';
    const message = problem({ source: "a", roles, extensions: '["postgis"]', passwordGeneration: "0" });
    expect(message).toContain('timelift:roles.app.statementTimeout = "30": a time such as "500ms"');
    expect(message).toContain("timelift:roles.app.lockTimeout = 5: a time such as");
    expect(message).toContain(
      "timelift:roles.app.memory: no such key; known are statementTimeout, idleInTransactionTimeout, lockTimeout",
    );
    expect(message).toContain("timelift:roles.root: no such key; known are owner, loader, app");
    expect(message).toContain("timelift:extensions.0");
    expect(message).toContain("pulumi config set --path 'timelift:extensions[0]' vector");
    expect(message).toContain('timelift:passwordGeneration = "0"');
    const long = problem({ source: "a", roles: '{"app":{"statementTimeout":"600h"}}' });
    expect(long).toContain("at most 596h");
  });

  test("ignores other namespaces", () => {
    expect(() => parseConfig({ "timelift:source": "a", "docker:host": "x" }, "dev")).not.toThrow();
  });

  test("has the same keys and defaults as Pulumi.yaml", () => {
    const yaml = readFileSync(new URL("../Pulumi.yaml", import.meta.url), "utf8");
    const declared = Object.fromEntries(
      [...yaml.matchAll(/^ {2}timelift:(\w+):\n((?: {4}.*\n?)*)/gm)].map(([, key = "", body = ""]) => [
        key,
        /^ {4}default: (.*)$/m.exec(body)?.[1] ?? "",
      ]),
    );
    const { stack: _, ...defaults } = parse({ source: "a" });
    expect(Object.keys(declared).sort()).toEqual(Object.keys(defaults).sort());
    for (const [key, text] of Object.entries(declared)) {
      if (key === "source") continue;
      const given = parse({ source: "a", [key]: text.replace(/^"(.*)"$/, "$1") });
      expect([key, given[key as keyof typeof given]]).toEqual([key, defaults[key as keyof typeof defaults]]);
    }
  });
});
