import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../cli/backend.ts";
import { exitCodeOf, planOf } from "../cli/preview/change-plan.ts";
import { renderComment } from "../cli/preview/comment.ts";
import { commentLimit } from "../cli/preview/comment-size.ts";
import { type Properties, readSteps } from "../cli/preview/resource-step.ts";
import { requireKept } from "../cli/protected-stack.ts";
import { check } from "../stacks/resources/migrations-provider.ts";
import { serviceNames } from "../stacks/services/service.ts";

interface Change {
  op: string;
  was?: Properties;
  becomes?: Properties;
  /** What the provider says differs. */
  detailedDiff?: Record<string, unknown>;
  retainOnDelete?: boolean;
}

/** One step as Pulumi prints it. @param kind a type of timelift's, or a whole one */
const plan = (kind: string, name: string, { op, was, becomes, retainOnDelete, detailedDiff }: Change) => {
  const type = kind.includes(":") ? kind : `pulumi-nodejs:dynamic/timelift:${kind}`;
  const urn = `urn:pulumi:dev::timelift::${type}::${name}`;
  const oldState = was && { inputs: was, outputs: was, ...(retainOnDelete && { retainOnDelete }) };
  const newState = becomes && { inputs: becomes };
  const told = { ...(detailedDiff && { detailedDiff }) };
  const step = { op, urn, ...(oldState && { oldState }), ...(newState && { newState }), ...told };
  return planOf("dev", readSteps({ steps: [step] }), []);
};

const phase = (objects: Record<string, string>, makings: Record<string, string> = {}) => ({
  ...{ phase: "after-load", files: { "0001_a": "x" }, sql: { "0001_a": ["SELECT 1;"] } },
  ...{ applied: ["0001_a"], objects, makings },
});

describe("the plan of a preview", () => {
  test("a retention that shortens is destructive, one that grows or stops is not", () => {
    const age = (span: string) => phase({ "retention t": `chunks go when they are ${span} old` });
    const change = (was: Properties, becomes: Properties) =>
      plan("Migrations", "keys", { op: "update", was, becomes });
    const shorter = change(age("1 year"), age("300 days"));
    expect(shorter.destructive).toEqual([
      "Retention of `t` shortens from 1 year to 300 days: rows between are dropped.",
    ]);
    expect(exitCodeOf(shorter)).toBe(3);
    expect(exitCodeOf(change(age("300 days"), age("1 year")))).toBe(2);
    expect(exitCodeOf(change(age("300 days"), phase({})))).toBe(2);
    expect(change(phase({}), age("1 year")).destructive[0]).toContain("Retention of `t` starts");
  });

  test("an object is made anew where what it is made of differs, whatever the words", () => {
    const object = (words: string, making: string) =>
      phase({ "continuous aggregate a": words }, { "continuous aggregate a": making });
    const change = (was: Properties, becomes: Properties) =>
      plan("Migrations", "keys", { op: "update", was, becomes }).destructive;
    expect(change(object("one", "1"), object("one", "2"))).toEqual([
      "Continuous aggregate `a` is dropped and made anew.",
    ]);
    expect(change(object("one", "1"), object("two", "1"))).toEqual([]);
    expect(change(object("skipped: why", "1"), object("two", "2"))).toEqual([]);
  });

  test("a table whose source is empty now, and one that nobody loads", () => {
    const load = (rows: string, fingerprint: string) => ({
      ...{
        plan: { t: rows, u: "1 row" },
        fingerprint,
        mapping: "m",
        notLoaded: fingerprint === "1" ? [] : ["v"],
      },
      ...{ loaded: "1", target: { database: "d" } },
    });
    const emptied = plan("SqliteLoad", "load", {
      op: "update",
      was: load("5 rows", "1"),
      becomes: load("0 rows (1 of 1 part changed (-5 rows))", "2"),
    });
    expect(emptied.destructive).toEqual(["Every row of `t` goes: the source has none left."]);
    const text = renderComment(emptied);
    expect(text).toContain("| `t` | 0 rows | 1 of 1 part changed (-5 rows) |");
    expect(text).toContain("Source tables that are not loaded: `v` (new).");
  });

  test("a deleted service takes its data where it was deployed so, which a protected stack refuses", () => {
    const service = (dropData: boolean) =>
      plan("NativeService", "redis", { op: "delete", was: { declaration: { name: "redis" }, dropData } });
    expect(service(true).destructive[0]).toContain("Service `redis` is deleted, and its data with it");
    expect(() => requireKept(service(true))).toThrow(/protected.*[\s\S]*redis[\s\S]*timelift:protect false/);
    expect(service(false).destructive).toEqual(["Service `redis` is deleted; its data stays."]);
    expect(() => requireKept(service(false))).not.toThrow();
  });

  test("a volume takes what is in it, whatever it belongs to, unless Pulumi only lets go of it", () => {
    const volume = { op: "delete", was: { name: "app-data" } };
    const type = "my:index:Database$docker:index/volume:Volume";
    expect(plan(type, "data", volume).destructive).toEqual([
      "`Volume data` is deleted, and what is in it with it.",
    ]);
    expect(() => requireKept(plan(type, "data", volume))).toThrow(/Volume data/);
    const retained = plan(type, "data", { ...volume, retainOnDelete: true });
    expect([retained.destructive, exitCodeOf(retained)]).toEqual([[], 2]);
    expect(() => requireKept(retained)).not.toThrow();
  });

  test.each(["delete", "replace", "delete-replaced"])(
    "of a service of containers, a data volume in a step %s is a loss, and its configuration none",
    (op) => {
      const step = (kind: string, name: string) =>
        plan(`docker:index/${kind.toLowerCase()}:${kind}`, name, { op, was: { name: `timelift-x-${name}` } });
      for (const name of serviceNames) {
        expect(() => requireKept(step("Volume", `${name}-data`))).toThrow(`Volume ${name}-data`);
        for (const spared of [step("Volume", `${name}-files`), step("Container", name)]) {
          expect([spared.dataLosses, exitCodeOf(spared)]).toEqual([[], 2]);
          expect(() => requireKept(spared)).not.toThrow();
        }
      }
      // A volume of somebody else is not spared for its name.
      expect(step("Volume", "uploaded-files").dataLosses).toHaveLength(1);
    },
  );

  test("a secret that differs is said to, where only its provider or nobody tells", () => {
    const [was, becomes] = [{ password: "[secret]" }, { password: "[secret]" }];
    const role = plan("postgresql:index/role:Role", "app", {
      ...{ op: "update", was, becomes },
      detailedDiff: { password: { kind: "update" } },
    });
    const change = { was: "(secret)", becomes: "(secret), changed" };
    expect(role.settings).toEqual([{ setting: "password", ...change, of: ["app"] }]);
    const service = (process: string) => ({ secrets: "[secret]", process });
    const rotated = { op: "update", was: service("running"), becomes: service("running") };
    expect(plan("NativeService", "redis", rotated).settings).toMatchObject([
      { setting: "secrets", ...change },
    ]);
    const stopped = { ...rotated, becomes: service("not running; up starts it again") };
    expect(plan("NativeService", "redis", stopped).settings).toEqual([]);
  });

  test("a setting shows no place of this machine", () => {
    const mounted = (path: string) => ({ volumes: JSON.stringify([path]) });
    const change = {
      op: "update",
      was: mounted(join(projectDir, "a")),
      becomes: mounted(join(homedir(), "b")),
    };
    expect(plan("docker:index/container:Container", "db", change).settings).toMatchObject([
      { was: '["a"]', becomes: '["~/b"]' },
    ]);
  });

  test("a comment that is cut keeps every section in short before it shows one whole", () => {
    const names = Array.from({ length: 60 }, (_, i) => `${String(i + 1).padStart(4, "0")}_more`);
    const lines = Array.from({ length: 60 }, (_, i) => `SELECT ${i} AS "a column of a long query";`);
    const becomes = {
      ...{ phase: "after-load", files: {}, to: "0060_more" },
      sql: Object.fromEntries(names.map((each) => [each, lines])),
    };
    const was = { phase: "after-load", applied: [] };
    const text = renderComment(plan("Migrations", "keys", { op: "update", was, becomes }));
    expect(text.length).toBeLessThanOrEqual(commentLimit);
    expect(text.length).toBeGreaterThan(commentLimit - 4000);
    expect(text).toContain("**up** `after-load/0060_more`: 60 lines of SQL");
    expect(text).toContain("| `migrateTo` | – | `0060_more` | `keys` |");
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    expect(text.trimEnd().split("\n").at(-1)).toMatch(/^\*\*Cut/);
  });

  test("another host of an external database is another database, another port of the stack's own is not", () => {
    const change = (was: Properties, becomes: Properties) =>
      plan("Migrations", "keys", {
        ...{ op: "update", was: { ...phase({}), target: was }, becomes: { ...phase({}), target: becomes } },
      }).destructive;
    const external = { host: "a.example", port: 5432, database: "app", external: true };
    expect(change(external, { ...external, host: "b.example" })).toEqual([
      "The target database changes from `app at a.example:5432` to `app at b.example:5432`: all is loaded anew, and `app at a.example:5432` is kept up to date no more.",
    ]);
    expect(change(external, external)).toEqual([]);
    const own = { host: "127.0.0.1", port: 15432, database: "app" };
    expect(change(own, { ...own, port: 15433 })).toEqual([]);
    expect(change(own, external)[0]).toContain("from `app` to `app at a.example:5432`");
  });

  test("what looks like a secret is not shown, nor what would be Markdown", () => {
    const settings = (password: string, url: string) => ({
      declaration: { settings: { requirepass: "x", admin_password: password, url, "a|b": "`c`" } },
    });
    const text = renderComment(
      plan("NativeService", "redis", {
        op: "update",
        was: settings("hidden-1", "postgres://me:hidden-2@db/app"),
        becomes: settings("hidden-3", "postgres://me:hidden-4@other/app"),
      }),
    );
    expect(text).toContain("| `settings.admin_password` | `(secret)` | `(secret), changed` | `redis` |");
    expect(text).toContain("`postgres://(secret)@other/app`");
    expect(text).not.toContain("hidden");
  });
});

test("a protected stack refuses a new migration that drops a table, but for its first deployment", async () => {
  const path = mkdtempSync(join(tmpdir(), "timelift-protected-"));
  const before = join(path, "migrations", "before-load");
  mkdirSync(before, { recursive: true });
  writeFileSync(join(path, "loader.ts"), "export default { tables: {} };");
  const write = (name: string, sql: string) =>
    writeFileSync(
      join(before, `${name}.ts`),
      `export const up = (pgm) => pgm.sql(${JSON.stringify(sql)});\nexport const down = () => {};\n`,
    );
  const inputs = {
    ...{ phase: "before-load", workload: { name: "shop", path, options: {} }, password: "x", protect: true },
    target: { host: "127.0.0.1", port: 1, database: "nowhere" },
  } as never;
  try {
    write("0001_old", "CREATE TABLE a (); DROP TABLE IF EXISTS older;");
    const first = await check({}, inputs);
    expect(first.failures ?? []).toEqual([]);
    write("0002_drop", "DROP TABLE a;");
    const { failures } = await check(first.inputs, inputs);
    expect(failures?.[0]?.reason).toMatch(
      /before-load\/0002_drop: it runs DROP TABLE a, and the stack is protected/,
    );
    expect(failures?.[0]?.reason).toContain("timelift:protect false");
  } finally {
    rmSync(path, { recursive: true });
  }
});
