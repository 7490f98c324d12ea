import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { asSuperuser } from "../stacks/platforms/bootstrap.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { roles } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { readCatalog } from "./catalog.ts";
import { asRole, freePorts, NativeStack, stackSecrets, value } from "./native-stack.ts";

const stack = new NativeStack();
const [port = 0] = await freePorts(1);
const declaration = timescaledb({ port, database: "app", memoryMb: 512 });
const folder = new ServiceFolder(stack.stateDir, "timescaledb");
const asAdmin = <T>(work: (client: pg.Client) => Promise<T>) =>
  asSuperuser({ host: folder.socketFolder, port }, "app", work);

afterAll(() => stack.remove());

/** Makes of a new stack one of before there were logins: roles have the passwords themselves. */
async function makeOld(): Promise<void> {
  await asAdmin(async (client) => {
    await client.query(`DROP ROLE ${roles.flatMap((role) => [`${role}_a`, `${role}_b`]).join(", ")}`);
    for (const role of roles) {
      await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${client.escapeLiteral(stackSecrets[role])}`);
    }
    await client.query(`
      ALTER ROLE timelift_readonly SET default_transaction_read_only = on;
      REVOKE pg_read_all_stats, pg_signal_backend FROM timelift_owner, timelift_loader`);
  });
  const hba = join(folder.conf, "pg_hba.conf");
  const rules = readFileSync(hba, "utf8").split("\n");
  writeFileSync(hba, rules.filter((rule) => !rule.includes("timelift_app")).join("\n"));
  await asAdmin((client) => client.query("SELECT pg_reload_conf()"));
  const { contents: _, ...old } = declaration;
  const record = JSON.parse(readFileSync(join(folder.path, "service.json"), "utf8"));
  folder.write("service.json", JSON.stringify({ ...record, declaration: old }));
}

const asRoleItself = (role: string) =>
  new pg.Client({
    ...{ host: "127.0.0.1", port, database: "app", user: role },
    password: stackSecrets[role as keyof typeof stackSecrets],
  });

test("a stack of before is taken over: its rows and owners stay, its roles lose their passwords", async () => {
  await stack.start(declaration);
  const fresh = await asAdmin(readCatalog);
  await makeOld();
  const owner = asRoleItself("timelift_owner");
  await expect.poll(() => owner.connect().then(() => true)).toBe(true);
  await owner.query("CREATE TABLE kept (time timestamptz NOT NULL, x int)");
  await owner.query("SELECT create_hypertable('kept', by_range('time'))");
  await owner.query(
    "INSERT INTO kept SELECT '2024-01-01'::timestamptz + n * interval '1 day', n FROM generate_series(1, 30) n",
  );
  await owner.query("SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1')");
  const pid = folder.process?.pid;

  await stack.start(declaration);

  expect(folder.process?.pid).toBe(pid);
  expect(await asAdmin(readCatalog)).toEqual(fresh);
  // A session that was open goes on.
  expect(await value(owner, "SELECT count(*)::int FROM kept")).toBe(30);
  await owner.end();
  for (const role of roles) {
    await expect(asRoleItself(role).connect(), role).rejects.toThrow(/pg_hba.conf rejects connection/);
  }
  await asRole(port, "timelift_app", async (app) => {
    await app.query("INSERT INTO kept VALUES (now(), 31)");
    expect(await value(app, "SELECT count(*)::int FROM kept")).toBe(31);
  });
  await asRole(port, "timelift_owner", async (client) => {
    await client.query("ALTER TABLE kept ADD y int");
    expect(await value(client, "SELECT username FROM cron.job WHERE jobname = 'nightly'")).toBe(
      "timelift_owner",
    );
  });
});

test("nothing differs after another start, and what was changed by hand is put right", async () => {
  const before = await asAdmin(readCatalog);
  await asAdmin((client) =>
    client.query(`
      ALTER ROLE timelift_app_a RESET ALL; ALTER ROLE timelift_app_a CONNECTION LIMIT 1;
      ALTER ROLE timelift_app LOGIN PASSWORD 'mine'; REVOKE CONNECT ON DATABASE app FROM timelift_app;
      REVOKE timelift_app FROM timelift_app_a; GRANT CREATE ON SCHEMA public TO PUBLIC`),
  );
  expect(await asAdmin(readCatalog)).not.toEqual(before);
  await stack.start({ ...declaration, memoryMb: 513 });
  expect(await asAdmin(readCatalog)).toEqual(before);
});

test("a job of the owner runs, although nobody can log in as it", async () => {
  await asRole(port, "timelift_owner", (client) =>
    client.query("SELECT cron.schedule('made', '1 second', 'CREATE TABLE IF NOT EXISTS made (x int)')"),
  );
  const made = () =>
    asRole(port, "timelift_app", (client) =>
      value(client, "SELECT tableowner::text FROM pg_tables WHERE tablename = 'made'"),
    );
  await expect.poll(made, { timeout: 20_000 }).toBe("timelift_owner");
  await asRole(port, "timelift_owner", (client) => client.query("SELECT cron.unschedule('made')"));
});
