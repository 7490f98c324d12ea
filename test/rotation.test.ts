import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { loginOf } from "../stacks/services/login.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { type Role, roles, type Secrets } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { AskingApplication } from "./asking-application.ts";
import { asRole, freePorts, NativeStack, stackSecrets, value } from "./native-stack.ts";

const stack = new NativeStack();
const [port = 0, pool = 0] = await freePorts(2);

/** The passwords of a generation, as the stack hands them over: with those before them. */
function secretsAt(generation: number): Secrets {
  const of = (number: number) =>
    Object.fromEntries(roles.map((role) => [role, `${role}-Zr${number}x`])) as Record<Role, string>;
  return {
    ...{ ...stackSecrets, ...of(generation) },
    ...(generation > 1 && { previous: of(generation - 1) }),
  };
}

/** As `up` does it: the database first, then the pool. */
async function deploy(generation: number): Promise<void> {
  const database = timescaledb({ port, database: "app", memoryMb: 512, generation });
  await stack.start(database, secretsAt(generation));
  const upstream = { upstreamPort: port, database: "app", generation };
  await stack.start(pgbouncer({ port: pool, ...upstream }), secretsAt(generation));
}

const pids = () =>
  (["timescaledb", "pgbouncer"] as const).map((name) => new ServiceFolder(stack.stateDir, name).process?.pid);

/** Whether a generation's password of a role opens the database, or the pool. */
async function opens(at: number, role: Role, generation: number): Promise<boolean> {
  try {
    await asRole(at, role, (client) => client.query("SELECT 1"), secretsAt(generation), generation);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^(28P01|08P01|28000)$/) });
    return false;
  }
}

const askingWith = (generation: number) =>
  new AskingApplication(
    {
      ...{ host: "127.0.0.1", port: pool, database: "app", user: loginOf("timelift_app", generation) },
      password: secretsAt(generation).timelift_app,
    },
    "INSERT INTO asked DEFAULT VALUES",
  );

beforeAll(async () => {
  await deploy(1);
  await asRole(
    port,
    "timelift_owner",
    (client) => client.query("CREATE TABLE asked (id bigint GENERATED ALWAYS AS IDENTITY)"),
    secretsAt(1),
  );
});

afterAll(() => stack.remove());

test("the first generation opens one login of each role; roles themselves are turned away", async () => {
  expect(await opens(port, "timelift_app", 1)).toBe(true);
  for (const role of roles) {
    const client = new pg.Client({ host: "127.0.0.1", port, database: "app", user: role, password: "x" });
    await expect(client.connect(), role).rejects.toThrow(/pg_hba.conf rejects connection/);
    expect(await opens(port, role, 2), role).toBe(false);
  }
});

test("an application asks on through the bump, and moves to the new password, without a failed request", async () => {
  const before = pids();
  const old = askingWith(1);
  await expect.poll(() => old.asked).toBeGreaterThan(20);
  await deploy(2);
  expect(pids()).toEqual(before);
  const atBump = old.asked;
  const fresh = askingWith(2);
  await expect.poll(() => fresh.asked).toBeGreaterThan(20);
  await expect.poll(() => old.asked).toBeGreaterThan(atBump + 20);
  // The next bump takes the old login over: by then its clients have moved.
  await old.end();
  await deploy(3);
  const third = askingWith(3);
  await expect.poll(() => third.asked).toBeGreaterThan(20);
  await Promise.all([fresh.end(), third.end()]);
  for (const { failures } of [old, fresh, third]) expect(failures).toEqual([]);
  const counted = await asRole(
    port,
    "timelift_readonly",
    (client) => value(client, "SELECT count(*) FROM asked"),
    secretsAt(3),
    3,
  );
  expect(Number(counted)).toBe(old.asked + fresh.asked + third.asked);
});

test("a password opens until the bump after the next, at the server and at the pool", async () => {
  for (const role of ["timelift_app", "timelift_readonly", "timelift_owner"] as const) {
    for (const at of [port, pool]) {
      const open = await Promise.all([1, 2, 3].map((generation) => opens(at, role, generation)));
      expect([role, at === pool, open]).toEqual([role, at === pool, [false, true, true]]);
    }
  }
});

test("what a login makes belongs to its role, also after DISCARD ALL, and through the pool", async () => {
  const make = (at: number, generation: number, table: string) =>
    asRole(
      at,
      "timelift_owner",
      async (client) => {
        await client.query("DISCARD ALL");
        await client.query(`CREATE TABLE ${table} (x int)`);
      },
      secretsAt(generation),
      generation,
    );
  await make(port, 3, "by_a");
  await make(port, 2, "by_b");
  await make(pool, 3, "pooled_a");
  await make(pool, 2, "pooled_b");
  await asRole(
    port,
    "timelift_owner",
    async (client) => {
      const { rows } = await client.query(
        "SELECT DISTINCT tableowner AS owner FROM pg_tables WHERE tablename ~ '^(by|pooled)_'",
      );
      expect(rows).toEqual([{ owner: "timelift_owner" }]);
      // Either login drops what the other made.
      await client.query("DROP TABLE by_a, by_b, pooled_a, pooled_b");
    },
    secretsAt(2),
    2,
  );
});

test("limits hold for the login, at the server and through the pool", async () => {
  for (const at of [port, pool]) {
    const shown = await asRole(
      at,
      "timelift_app",
      async (client) => {
        const read = (name: string) => value(client, `SHOW ${name}`);
        return [
          await read("statement_timeout"),
          await read("idle_in_transaction_session_timeout"),
          await read("lock_timeout"),
        ];
      },
      secretsAt(3),
      3,
    );
    expect(shown).toEqual(["30s", "1min", "10s"]);
  }
});
