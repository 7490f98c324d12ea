import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import * as migrations from "../stacks/resources/migrations-provider.ts";
import * as service from "../stacks/resources/native-service-provider.ts";
import * as load from "../stacks/resources/sqlite-load-provider.ts";
import { redis } from "../stacks/services/redis.ts";
import { findWorkload } from "../stacks/workload.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "timelift-providers-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const stockula = { name: "stockula", path: "", options: {} };
const target = { host: "127.0.0.1", port: 1, database: "nowhere" };

describe("what a preview says of a load", () => {
  const inputs = (source: string) =>
    ({ source, workload: stockula, target, password: "x", stateDir: dir, tables: [], held: [] }) as never;

  test("rows per table, without any server", async () => {
    const source = join(dir, "app.db");
    const { rows } = await buildSample(source);
    const { inputs: planned, failures } = await load.check({}, inputs(source));
    expect(failures ?? []).toEqual([]);
    expect(planned.plan.price_history).toBe(`${rows.price_history?.toLocaleString("en-US")} rows`);
    expect(Object.keys(planned.plan).sort()).toEqual(Object.keys(rows).sort());
    const again = await load.check(planned, inputs(source));
    expect(again.inputs.plan).toEqual(planned.plan);
  });

  test("a file that is not there, as a failure of the source rather than a stack trace", async () => {
    const { failures } = await load.check({}, inputs(join(dir, "gone.db")));
    expect(failures).toMatchObject([{ property: "source", reason: expect.stringContaining("gone.db") }]);
    expect(failures?.[0]?.reason).toContain("remedy");
  });

  test("a table or a column that the loader expects and the file lacks", async () => {
    const source = join(dir, "app.db");
    await buildSample(source);
    const database = new Database(source);
    database.exec("ALTER TABLE price_history RENAME COLUMN open_price TO opening");
    const column = await load.check({}, inputs(source));
    expect(column.failures?.[0]?.reason).toMatch(/price_history\.open_price/);
    database.exec("DROP TABLE splits");
    const table = await load.check({}, inputs(source));
    expect(table.failures?.[0]?.reason).toMatch(/splits|open_price/);
    database.close();
  });
});

describe("what a preview says of migrations", () => {
  const inputs = { phase: "before-load", workload: stockula, target, password: "x" } as never;

  test("their SQL, and an edited one as a failure that names the file", async () => {
    const { inputs: planned } = await migrations.check({}, inputs);
    expect(planned.sql["0002_price_hypertables"]).toContain('CREATE TABLE "price_history" (');
    const edited = { ...planned, files: { ...planned.files, "0002_price_hypertables": "other:x:y" } };
    const { failures } = await migrations.check(edited, inputs);
    expect(failures?.[0]?.reason).toContain("0002_price_hypertables: it was edited after it was applied");
  });

  test("another price type, as SQL before it is applied and as a failure after", async () => {
    const rounded = { ...stockula, options: { priceType: "numeric(20,6)" } };
    const first = await migrations.check({}, { ...(inputs as object), workload: rounded } as never);
    expect(first.inputs.sql["0002_price_hypertables"]).toContain('  "open" numeric(20,6),');
    const { inputs: applied } = await migrations.check({}, inputs);
    const { failures } = await migrations.check(applied, {
      ...(inputs as object),
      workload: rounded,
    } as never);
    expect(failures?.[0]?.reason).toContain("timelift:workloadOptions changed");
  });

  test("which stand when the config names one", async () => {
    const to = { ...(inputs as object), to: "0001_reference_tables" } as never;
    const { inputs: planned } = await migrations.check({}, to);
    expect(Object.keys(planned.files)).toEqual(["0001_reference_tables"]);
    expect(planned.down).toEqual([
      "0002_price_hypertables",
      "0003_option_hypertables",
      "0004_price_columnstore",
    ]);
    const nowhere = await migrations.check({}, { ...(inputs as object), to: "0099_nowhere" } as never);
    expect(nowhere.failures?.[0]?.reason).toContain("before-load/0001_reference_tables");
  });
});

test("a load runs again when maxRejects changed, and only then", async () => {
  const inputs = {
    ...{ fingerprint: "f", mapping: "m", plan: {}, target: { host: "", port: 1, database: "d" } },
    ...{ tables: ["a"], held: [], maxRejects: "0" },
  };
  const { maxRejects: _, ...older } = { ...inputs, loaded: "f" };
  const changes = async (olds: object, news: object) =>
    (await load.diff("load", olds as never, { ...inputs, ...news } as never)).changes;
  expect(await changes({ ...older, maxRejects: "0" }, {})).toBe(false);
  expect(await changes(older, {})).toBe(false);
  expect(await changes({ ...older, maxRejects: "0" }, { maxRejects: "0.1%" })).toBe(true);
});

test("a service that was started and is dead shows as an input that differs", async () => {
  const declaration = redis({ port: 6400 });
  const inputs = { declaration, stateDir: dir, secrets: {}, dropData: false } as never;
  const fresh = await service.check({}, inputs);
  expect(fresh.inputs.process).toBe("running");
  expect(new ServiceFolder(dir, "redis").process).toBeUndefined();
  const dead = await service.check(fresh.inputs, inputs);
  expect(dead.inputs.process).toContain("not running");
  expect(await service.diff("redis", { ...fresh.inputs, version: "8", origin: "" }, dead.inputs)).toEqual({
    changes: true,
  });
});

describe("a workload", () => {
  test("kept in a folder elsewhere needs nothing of the engine", async () => {
    mkdirSync(join(dir, "before-load"));
    symlinkSync(join(import.meta.dirname, "..", "node_modules"), join(dir, "node_modules"));
    writeFileSync(join(dir, "loader.ts"), "export default { tables: { readings: {} } };\n");
    const workload = await findWorkload({ name: "mine", path: dir, options: { any: 1 } });
    expect(workload.loader.tables).toEqual({ readings: {} });
    expect(workload.migrationsDir).toBe(join(dir, "migrations"));
    expect(workload.context.options).toEqual({ any: 1 });
  });

  test("that is not there is refused with those that are", async () => {
    await expect(findWorkload({ name: "nosuch", path: "", options: {} })).rejects.toMatchObject({
      code: "workload-missing",
      message: expect.stringContaining("stockula"),
    });
    await expect(findWorkload({ name: "x", path: dir, options: {} })).rejects.toMatchObject({
      code: "workload-missing",
    });
  });

  test("with an option it does not know is refused by name", async () => {
    const options = { priceTyp: "numeric(20,6)" };
    await expect(findWorkload({ ...stockula, options })).rejects.toMatchObject({
      code: "workload-options",
      message: expect.stringContaining("priceTyp"),
    });
  });
});

test("a stack from before a service had a user gets a password for it, and keeps the others", async () => {
  const credentials = await import("../stacks/resources/credentials-provider.ts");
  const { outs = {} } = await credentials.create({});
  const all = outs.passwords as Record<string, string>;
  expect(new Set(Object.values(all)).size).toBe(Object.keys(all).length);
  expect(await credentials.diff("credentials", { passwords: all }, {})).toEqual({ changes: false });
  const { redis_monitor: _, ...older } = all;
  expect(await credentials.diff("credentials", { passwords: older }, {})).toEqual({ changes: true });
  const { outs: updated = {} } = await credentials.update("credentials", { passwords: older }, {});
  expect(updated.passwords).toEqual({ ...older, redis_monitor: expect.stringMatching(/^[\w-]{32}$/) });
});
