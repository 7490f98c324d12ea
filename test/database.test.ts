import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DatabaseContents } from "../stacks/database.ts";
import { type DatabasePlan, type DatabasePlanArgs, databasePlan } from "../stacks/database-plan.ts";
import { databaseThrough, hasPlugin } from "../stacks/database-through.ts";
import { groundOf, pluginSettings } from "../stacks/ground-plan.ts";
import type { Service } from "../stacks/platforms/platform.ts";
import { scramSecret } from "../stacks/platforms/scram-secret.ts";
import { Credentials } from "../stacks/resources/credentials.ts";
import { type Role, roles } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { withContents } from "../stacks/with-contents.ts";
import { type Declared, recorded, recordPreview, recordResources } from "./docker-resources.ts";
import { stackSecrets } from "./native-stack.ts";

afterEach(() => vi.unstubAllEnvs());

/** Passwords of a generation, told apart by its number. */
const passwordsAt = (generation: number) =>
  Object.fromEntries(roles.map((role) => [role, `${stackSecrets[role]}-${generation}`])) as Record<
    Role,
    string
  >;

interface Contents {
  resources: Declared[];
  /** Declared with the type's last word, e.g. `Role timelift_app_a`. */
  find(wanted: string): Declared;
  names: string[];
}

/** All that is declared of a plan, on a server whose own resource is one of credentials. */
async function declare(
  args: Partial<DatabasePlanArgs> = {},
  more: Partial<Service> = {},
  isPreview = false,
): Promise<Contents> {
  await (isPreview ? recordPreview() : recordResources());
  const plan = databasePlan({ database: "shop", ...args });
  const generations = [plan.generation, ...(plan.generation > 1 ? [plan.generation - 1] : [])];
  const passwords = Object.fromEntries(
    generations.map((generation) => [generation, pulumi.output(passwordsAt(generation))]),
  );
  const resources = await recorded(async () => {
    const resource = new Credentials("server");
    const server: Service = {
      ...{ resource, host: "127.0.0.1", port: 15432, version: pulumi.output("17") },
      ...{ tls: { mode: "verify-full", rootCert: ".timelift/dev/authority.pem" } },
      ...{ superuserPassword: pulumi.secret("superuser-Zq88"), ...more },
    };
    const contents = new DatabaseContents("database", { server, plan, passwords });
    const last = new Credentials("last", {}, { dependsOn: contents });
    await new Promise((resolve) => last.urn.apply(resolve));
  });
  const nameOf = ({ type, name }: Declared) => `${type.split(":").at(-1)} ${name}`;
  return {
    resources,
    names: resources.map(nameOf).filter((name) => !name.startsWith("Credentials ")),
    find(wanted) {
      const found = resources.find((each) => nameOf(each) === wanted);
      if (found === undefined) throw new Error(`no ${wanted} among ${resources.map(nameOf).join(", ")}`);
      return found;
    },
  };
}

const kindsOf = ({ names }: Contents) => {
  const counts: Record<string, number> = {};
  for (const name of names) {
    const kind = name.split(" ")[0] ?? "";
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
};

describe("what is inside the database, as resources of the plugin", () => {
  test.each([
    ["by default", {}, { Extension: 2 }, 0],
    ["with extensions", { extensions: ["vector", "plpython3u"] }, { Extension: 4 }, 0],
    // Who uses the schema that it brings is granted that.
    ["with pg_cron", { extensions: ["pg_cron"] }, { Extension: 3 }, 1],
    ["in a later generation", { generation: 5 }, { Extension: 2 }, 0],
  ] as [string, Partial<DatabasePlanArgs>, Record<string, number>, number][])("%s", async (...row) => {
    const [, args, counts, granted] = row;
    // All but that on template1, which the superuser is not let into.
    const grants = databasePlan({ database: "shop" }).grants.length - 1;
    expect(kindsOf(await declare(args))).toEqual({
      ...{ DatabaseContents: 1, postgresql: 1, Role: 15, Database: 1, Schema: 2, DefaultPrivileges: 8 },
      ...{ ...counts, Grant: grants + granted },
    });
  });

  test("has names that tell one database from another, for a renamed resource would rename the database", async () => {
    const ofDatabase = (contents: Contents) =>
      contents.names.filter((name) => !/^(Role|DatabaseContents|postgresql) |^Grant postgres-/.test(name));
    const [shop, other] = [await declare(), await declare({ database: "other" })];
    expect(ofDatabase(shop).length).toBeGreaterThan(20);
    expect(ofDatabase(shop).filter((name) => ofDatabase(other).includes(name))).toEqual([]);
  });

  test("takes nothing of how the server is reached from the environment", async () => {
    vi.stubEnv("PGHOST", "elsewhere.example.com").stubEnv("PGSSLMODE", "disable");
    vi.stubEnv("PGUSER", "somebody").stubEnv("PGDATABASE", "other").stubEnv("PGCONNECT_TIMEOUT", "1");
    const provider = (await declare()).find("postgresql postgresql");
    expect(provider.inputs).toMatchObject({
      ...{ host: "127.0.0.1", port: "15432", database: "postgres", username: "postgres" },
      ...{ superuser: "true", connectTimeout: "30" },
      ...{ sslmode: "verify-full", sslrootcert: ".timelift/dev/authority.pem" },
    });
    expect(provider.secrets).toEqual(["password"]);
    const plain = (await declare({}, { tls: undefined, host: "::1" })).find("postgresql postgresql");
    expect(plain.inputs).toMatchObject({ host: "[::1]", sslmode: "disable" });
    expect(plain.inputs.sslrootcert).toBeUndefined();
  });

  test("gives a login its limits, and the secret of its password in place of the password", async () => {
    const limits = { timelift_app: { statementTimeout: 5000, connections: 7 } };
    const contents = await declare({ limits });
    const login = contents.find("Role timelift_app_a");
    expect(login.inputs).toMatchObject({
      ...{ name: "timelift_app_a", login: true, roles: ["timelift_app"], assumeRole: "timelift_app" },
      ...{ connectionLimit: 7, statementTimeout: 5000, idleInTransactionSessionTimeout: 60_000 },
      password: await scramSecret("timelift_app_a", passwordsAt(1).timelift_app),
    });
    expect(login.secrets).toEqual(["password"]);
    const idle = contents.find("Role timelift_app_b").inputs;
    expect(idle).toMatchObject({ login: false, connectionLimit: 7, statementTimeout: 5000 });
    expect(idle.password).toBeUndefined();
    expect(contents.find("Role timelift_loader_a").inputs).toMatchObject({ connectionLimit: -1 });
    expect(contents.find("Role timelift_loader_a").inputs.statementTimeout).toBeUndefined();
    expect(contents.find("Role timelift_owner").inputs).toMatchObject({
      ...{ login: true, roles: ["pg_read_all_stats", "pg_signal_backend"] },
    });
    expect(contents.find("Role timelift_app").inputs).toMatchObject({ login: false, roles: [] });
  });

  test("keeps the password of the generation before, and no clear one", async () => {
    const contents = await declare({ generation: 4 });
    for (const role of roles) {
      expect(contents.find(`Role ${role}_b`).inputs).toMatchObject({
        ...{ login: true, password: await scramSecret(`${role}_b`, passwordsAt(4)[role]) },
      });
      expect(contents.find(`Role ${role}_a`).inputs).toMatchObject({
        ...{ login: true, password: await scramSecret(`${role}_a`, passwordsAt(3)[role]) },
      });
    }
    const text = JSON.stringify(contents.resources.filter(({ type }) => type.startsWith("postgresql:")));
    expect(text).toContain("SCRAM-SHA-256$");
    expect(text).not.toContain("-Zq8");
  });

  test("drops nothing, and adopts what may be there already", async () => {
    const { resources } = await declare({ extensions: ["vector"] });
    const ofPlugin = resources.filter(({ type }) => type.startsWith("postgresql:"));
    expect(ofPlugin.length).toBeGreaterThan(40);
    expect(ofPlugin.filter(({ retainOnDelete }) => !retainOnDelete)).toEqual([]);
    for (const { type, inputs, adopted } of ofPlugin) {
      const isAdopted = /:(Role|Database)$/.test(type);
      expect([type, inputs.name, adopted]).toEqual([type, inputs.name, isAdopted ? inputs.name : ""]);
    }
  });

  test("adopts nothing in a preview, which there may be no server for", async () => {
    const { resources } = await declare({}, {}, true);
    expect(resources.filter(({ adopted }) => adopted !== "")).toEqual([]);
    expect(resources.length).toBeGreaterThan(40);
  });

  test("is made in an order that PostgreSQL takes", async () => {
    const contents = await declare({ extensions: ["pg_cron"] });
    const waitsFor = (name: string) =>
      contents.find(name).dependencies.map((each) => each.split(":").slice(-3).join(" ").replace(/ +/, " "));
    expect(waitsFor("Role timelift_app_a")).toEqual(["Credentials server", "Role timelift_app"]);
    expect(waitsFor("Role timelift_app_b")).toContain("Role timelift_app_a");
    expect(waitsFor("Database shop")).toContain("Role timelift_owner");
    expect(waitsFor("Extension shop.timescaledb")).toContain("Database shop");
    expect(waitsFor("Extension shop.pg_cron")).toContain("Extension shop.pg_stat_statements");
    expect(waitsFor("Schema shop.timelift")).toEqual(
      expect.arrayContaining(["Extension shop.pg_cron", "Role timelift_loader"]),
    );
    expect(waitsFor("Grant shop.timelift-timelift_owner")).toEqual(
      expect.arrayContaining(["Schema shop.timelift", "Role timelift_owner"]),
    );
    // Two at once on one object are refused.
    for (const object of ["shop-", "postgres-", "shop.public-", "shop.timelift-"]) {
      const grants = contents.names.filter((name) => name.startsWith(`Grant ${object}`));
      expect(grants.length).toBeGreaterThan(1);
      for (const [index, name] of grants.slice(1).entries()) {
        expect(waitsFor(name)).toContain(grants[index]);
      }
    }
    // Who waits for it, waits for all of it.
    const all = contents.names.filter((name) => !/^(DatabaseContents|postgresql) /.test(name));
    expect(waitsFor("Credentials last")).toEqual(expect.arrayContaining(all));
  });
});

/** What a plan comes down to where both parts are made, to be compared with it. */
async function madeOf(plan: DatabasePlan, contents: Contents) {
  const ground = groundOf(plan);
  const of = (kind: string) =>
    contents.resources.filter(({ type }) => type.endsWith(`:${kind}`)).map(({ inputs }) => inputs);
  const role = (name: string) => contents.find(`Role ${name}`).inputs;
  return {
    groups: ground.groups.map((name) => ({ name, memberOf: role(name).roles, runsJobs: role(name).login })),
    logins: ground.logins.map(({ name, settings }) => {
      const {
        roles: [group],
        login,
        connectionLimit,
        ...inputs
      } = role(name);
      const words: Record<string, unknown> = {
        role: inputs.assumeRole,
        statement_timeout: inputs.statementTimeout,
        idle_in_transaction_session_timeout: inputs.idleInTransactionSessionTimeout,
      };
      const said = Object.entries(words).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, String(value)]],
      );
      return {
        ...{ name, group, enabled: login, connections: connectionLimit },
        settings: { ...Object.fromEntries(said), ...settings },
      };
    }),
    grants: [
      ...ground.grants,
      ...of("Grant").map(({ objectType: on, database, schema, role, privileges }) => ({
        ...{ on, object: on === "schema" ? schema : database, role, privileges },
      })),
    ],
    schemas: of("Schema").map(({ name, owner }) => ({ name, owner })),
    defaultPrivileges: of("DefaultPrivileges").map(
      ({ owner: maker, schema, role, objectType: on, privileges }) => ({
        ...{ maker, schema, role, on, privileges },
      }),
    ),
    extensions: [
      ...of("Extension").map(({ name }) => name),
      ...ground.extensions.filter(({ required }) => !required).map(({ name }) => name),
    ],
    owner: contents.find(`Database ${plan.database}`).inputs.owner,
  };
}

test.each([
  ["by default", {}],
  ["with limits", { limits: { timelift_loader: { lockTimeout: 4000, statementTimeout: 9000 } } }],
  ["with extensions", { extensions: ["vector", "plpython3u"] }],
  ["in a later generation", { generation: 2 }],
] as [string, Partial<DatabasePlanArgs>][])(
  "the plugin's part and timelift's own make the whole plan: %s",
  async (_, args) => {
    const plan = databasePlan({ database: "shop", ...args });
    const made = await madeOf(plan, await declare(args));
    const sorted = <T>(list: T[]) =>
      list.map((each) => JSON.stringify(each, Object.keys(each as object).sort())).sort();
    expect(made.owner).toBe(plan.owner);
    expect(made.groups).toEqual(plan.groups);
    expect(made.logins).toEqual(plan.logins);
    expect(made.schemas).toEqual(plan.schemas);
    expect(sorted(made.grants)).toEqual(sorted(plan.grants));
    expect(sorted(made.defaultPrivileges)).toEqual(sorted(plan.defaultPrivileges));
    expect([...made.extensions].sort()).toEqual(plan.extensions.map(({ name }) => name).sort());
  },
);

describe("timelift's own part", () => {
  const plan = databasePlan({ database: "shop", extensions: ["vector"] });

  test("holds nothing that the plugin has words for, so that another limit touches no service", () => {
    const ground = groundOf(plan);
    expect(ground.logins.flatMap(({ settings }) => Object.keys(settings))).not.toEqual([]);
    for (const { settings } of ground.logins) {
      expect(Object.keys(settings).filter((setting) => pluginSettings.includes(setting))).toEqual([]);
    }
    const server = (limits: DatabasePlanArgs["limits"], through: "plugin" | "builtin") =>
      timescaledb({ port: 1, database: "shop", through, limits });
    const [other, locking] = [
      { timelift_app: { statementTimeout: 1, connections: 3 } },
      { timelift_app: { lockTimeout: 1 } },
    ];
    expect(server(other, "plugin")).toEqual(server({}, "plugin"));
    expect(server(locking, "plugin")).not.toEqual(server({}, "plugin"));
    expect(server(other, "builtin")).not.toEqual(server({}, "builtin"));
  });

  test("leaves to the plugin no database that the superuser is not let into", () => {
    expect(groundOf(plan).grants.map(({ object }) => object)).toEqual(["template1"]);
  });

  test("is all there is where timelift makes everything", async () => {
    await recordResources();
    const resources = await recorded(async () => {
      const resource = new Credentials("server");
      const server = { resource, host: "127.0.0.1", port: 1, version: pulumi.output("17") };
      expect(await withContents(server, { database: "shop", through: "builtin", passwords: {} })).toBe(
        server,
      );
      await new Promise((resolve) => resource.urn.apply(resolve));
    });
    expect(resources.map(({ name }) => name)).toEqual(["server"]);
  });
});

describe("who makes it", () => {
  const home = mkdtempSync(join(tmpdir(), "timelift-home-"));
  const plugin = (version: string) => join(home, "plugins", `resource-postgresql-v${version}`);

  beforeEach(async () => {
    await recordResources();
    vi.stubEnv("PATH", join(home, "bin"));
    vi.stubEnv("PULUMI_HOME", home);
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  test.each([
    ["", "native", false, "builtin"],
    ["", "native", true, "builtin"],
    ["", "docker", false, "builtin"],
    ["", "docker", true, "plugin"],
    ["", "external", true, "builtin"],
    ["plugin", "native", false, "plugin"],
    ["plugin", "docker", false, "plugin"],
    ["builtin", "docker", true, "builtin"],
  ] as const)("%j on %s, where the plugin is there: %s", (key, platform, isThere, through) => {
    if (isThere) mkdirSync(plugin("3.99.0"), { recursive: true });
    expect(databaseThrough({ databaseThrough: key, platform })).toBe(through);
  });

  test("the plugin is there on PATH, or among Pulumi's plugins in a version that will do", () => {
    expect(hasPlugin()).toBe(false);
    for (const version of ["3.1.0", "4.0.0", "3.99.0.lock"]) {
      mkdirSync(plugin(version), { recursive: true });
      expect([version, hasPlugin()]).toEqual([version, false]);
    }
    mkdirSync(plugin("3.18.1"));
    expect(hasPlugin()).toBe(true);
    rmSync(join(home, "plugins"), { recursive: true });
    mkdirSync(join(home, "bin"));
    writeFileSync(join(home, "bin", "pulumi-resource-postgresql"), "", { mode: 0o755 });
    expect(hasPlugin()).toBe(true);
  });
});
