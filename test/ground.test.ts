import pg from "pg";
import { afterAll, expect, test } from "vitest";
import type { DatabasePlanArgs } from "../stacks/database-plan.ts";
import type { Through } from "../stacks/database-through.ts";
import { asSuperuser } from "../stacks/platforms/bootstrap.ts";
import { startService } from "../stacks/platforms/native/native-service.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { roles } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { readCatalog } from "./catalog.ts";
import { freePorts, NativeStack, stackSecrets } from "./native-stack.ts";

const stack = new NativeStack();
const [port = 0] = await freePorts(1);
const superuserPassword = "superuser-Zq88";

afterAll(() => stack.remove());

async function start(through: Through, args: Partial<DatabasePlanArgs> = {}): Promise<void> {
  const declaration = timescaledb({ port, database: "app", memoryMb: 512, through, ...args });
  const more = through === "plugin" ? { superuserPassword } : {};
  await startService({ stateDir: stack.stateDir, declaration, secrets: stackSecrets, ...more }, () => {});
}

const asAdmin = <T>(work: (client: pg.Client) => Promise<T>) => {
  const { socketFolder } = new ServiceFolder(stack.stateDir, "timescaledb");
  return asSuperuser({ host: socketFolder, port }, "app", work);
};
const catalog = () => asAdmin(readCatalog);

/** As the plugin comes: by TCP, with a password. */
async function asPlugin(database: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({
    ...{ host: "127.0.0.1", port, database, user: "postgres", password: superuserPassword },
  });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: "array" })).rows.flat();
  } finally {
    await client.end();
  }
}

test("a new server has the database and the roles, and none of them may do anything", async () => {
  await start("plugin");
  const { roles: made, memberships, databases, extensions } = await catalog();
  const names = roles.flatMap((role) => [role, `${role}_a`, `${role}_b`]).sort();
  expect(made).toEqual(
    names.map((rolname) =>
      expect.objectContaining({ rolname, rolcanlogin: false, rolsuper: false, has_password: false }),
    ),
  );
  expect(memberships).toEqual([]);
  expect(databases).toContainEqual(expect.objectContaining({ name: "this", owner: "postgres" }));
  expect(JSON.stringify(extensions)).not.toContain("timescaledb");
});

test("the plugin is let in where it has something to do, and nothing logs its statements on roles", async () => {
  for (const setting of ["log_statement", "pgaudit.log"]) {
    expect(await asPlugin("postgres", `SHOW ${setting}`)).toEqual(["none"]);
  }
  expect(await asPlugin("postgres", "SHOW pg_stat_statements.track")).toEqual(["none"]);
  // What holds no secret is told, by one of the two.
  const told = await asPlugin(
    "app",
    "SELECT concat(current_setting('log_statement'), current_setting('pgaudit.log'))",
  );
  expect(String(told[0])).toMatch(/ddl/);
  await expect(asPlugin("template1", "SELECT 1")).rejects.toThrow(/pg_hba.conf rejects connection/);
});

test("a start leaves alone what the plugin has made, and brings the rest in line", async () => {
  await start("builtin");
  const whole = await catalog();
  await start("plugin");
  expect(await catalog()).toEqual(whole);
  await asAdmin((client) =>
    client.query(`
      ALTER ROLE timelift_app_a CONNECTION LIMIT 3;
      ALTER ROLE timelift_app_a SET statement_timeout TO 7;
      ALTER ROLE timelift_app_a SET lock_timeout TO 7;
      ALTER ROLE timelift_readonly_b RESET default_transaction_read_only;
      ALTER ROLE timelift_loader_a SET work_mem TO '64MB';
      ALTER ROLE timelift_app PASSWORD 'of before there were logins';
      GRANT CONNECT ON DATABASE template1 TO public`),
  );
  await start("plugin", { limits: { timelift_monitor: { lockTimeout: 4000 } } });
  const { settings, roles: found, ...others } = await catalog();
  const byRole = (each: unknown) => each as { rolname: string; setting: string; rolconnlimit: number };
  expect(found.map(byRole).find(({ rolname }) => rolname === "timelift_app_a")?.rolconnlimit).toBe(3);
  expect(found.map(byRole)).toContainEqual(
    expect.objectContaining({ rolname: "timelift_app", has_password: false }),
  );
  const changed = (list: unknown[]) =>
    list.map(byRole).map(({ rolname, setting }) => `${rolname} ${setting}`);
  expect(changed(settings)).toEqual(
    changed(whole.settings)
      .map((each) => each.replace("app_a statement_timeout=30000", "app_a statement_timeout=7"))
      .map((each) => each.replace(/(monitor_[ab] lock_timeout)=10000/, "$1=4000")),
  );
  expect(others).toMatchObject({ databases: whole.databases, memberships: whole.memberships });
});

test("where timelift makes everything again, the superuser comes by the socket alone", async () => {
  await start("builtin");
  await expect(asPlugin("postgres", "SELECT 1")).rejects.toThrow(/pg_hba.conf rejects connection/);
  const { rows } = await asAdmin((client) =>
    client.query(
      `SELECT rolpassword, (SELECT count(*)::int FROM pg_db_role_setting WHERE setrole = pg_authid.oid) AS settings
       FROM pg_authid WHERE rolname = 'postgres'`,
    ),
  );
  expect(rows).toEqual([{ rolpassword: null, settings: 0 }]);
  const fresh = new NativeStack();
  const [other = 0] = await freePorts(1);
  await fresh.start(timescaledb({ port: other, database: "app", memoryMb: 512 }));
  const { socketFolder: host } = new ServiceFolder(fresh.stateDir, "timescaledb");
  expect(await catalog()).toEqual(await asSuperuser({ host, port: other }, "app", readCatalog));
  await fresh.remove();
});
