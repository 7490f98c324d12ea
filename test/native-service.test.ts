import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderQueries } from "../stacks/monitoring/query.ts";
import { askHttp, askRedis } from "../stacks/platforms/native/health.ts";
import { stopService } from "../stacks/platforms/native/native-service.ts";
import { identify, isAlive, type ProcessIdentity } from "../stacks/platforms/native/process.ts";
import { isServiceRunning, ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { alertmanager } from "../stacks/services/alertmanager.ts";
import {
  nodeExporter,
  pgbouncerExporter,
  postgresExporter,
  redisExporter,
} from "../stacks/services/exporters.ts";
import { loginOf } from "../stacks/services/login.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { prometheus } from "../stacks/services/prometheus.ts";
import { redis } from "../stacks/services/redis.ts";
import { serviceNames } from "../stacks/services/service.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import {
  asRole,
  filesWith,
  freePorts,
  isPortFree,
  NativeStack,
  processesWith,
  stackSecrets,
  value,
} from "./native-stack.ts";

/** Debian has no Grafana: test/grafana.test.ts. */
type ServiceName = Exclude<(typeof serviceNames)[number], "grafana">;
const here = serviceNames.filter((name): name is ServiceName => name !== "grafana");
const main = join(import.meta.dirname, "../cli/main.ts");
const stack = new NativeStack();
const ports = await freePorts(serviceNames.length);
const [
  database = 0,
  pool = 0,
  cache = 0,
  metrics = 0,
  ofDatabase = 0,
  ofPool = 0,
  ofCache = 0,
  ofMachine = 0,
  alerting = 0,
] = ports;
const declarations = {
  timescaledb: timescaledb({ port: database, database: "app", memoryMb: 512 }),
  pgbouncer: pgbouncer({ port: pool, upstreamPort: database, database: "app" }),
  redis: redis({ port: cache }),
  prometheus: prometheus({ port: metrics }),
  "postgres-exporter": postgresExporter({
    ...{ port: ofDatabase, upstreamPort: database, database: "app", user: loginOf("timelift_monitor", 1) },
    queries: renderQueries([]),
  }),
  "pgbouncer-exporter": pgbouncerExporter({
    port: ofPool,
    poolPort: pool,
    user: loginOf("timelift_monitor", 1),
  }),
  "redis-exporter": redisExporter({ port: ofCache, cachePort: cache }),
  "node-exporter": nodeExporter({ port: ofMachine }),
  alertmanager: alertmanager({ port: alerting }),
} satisfies Record<ServiceName, unknown>;
const questions: Record<ServiceName, () => Promise<unknown>> = {
  timescaledb: () => asRole(database, "timelift_monitor", (client) => client.query("SELECT 1")),
  pgbouncer: () => asRole(pool, "timelift_app", (client) => client.query("SELECT 1")),
  redis: () => askRedis(cache, stackSecrets.redis),
  prometheus: () => askHttp(metrics, "/-/ready"),
  "postgres-exporter": () => says(ofDatabase, "pg_up 1"),
  "pgbouncer-exporter": () => says(ofPool, "pgbouncer_up 1"),
  "redis-exporter": () => says(ofCache, "redis_up 1"),
  alertmanager: () => askHttp(alerting, "/-/ready"),
  "node-exporter": () => says(ofMachine, "node_filesystem_avail_bytes{"),
};

/** That what an exporter watches answers it. */
async function says(port: number, line: string): Promise<void> {
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await expect.poll(ask, { timeout: 20_000 }).toContain(`\n${line}`);
}

/**
 * Starts a service as Pulumi does: by a process that ends. What is left of its process group is killed then, as
 * Ctrl-C and a terminal that closes do it.
 */
async function startByCommand(name: ServiceName): Promise<{ pid: number }> {
  const request = { stateDir: stack.stateDir, declaration: declarations[name], secrets: stackSecrets };
  const starter = execa(process.execPath, [main, "service", "start"], {
    input: `${JSON.stringify(request)}\n`,
    detached: true,
  });
  const { stdout } = await starter;
  try {
    process.kill(-(starter.pid as number), "SIGKILL");
  } catch (error) {
    expect(error).toMatchObject({ code: "ESRCH" });
  }
  return JSON.parse(stdout).result;
}

const pidOf = (name: ServiceName) => new ServiceFolder(stack.stateDir, name).process?.pid;

beforeAll(async () => {
  // Side by side, although the pool needs the database: it waits for it.
  await Promise.all(here.filter((name) => name !== "pgbouncer-exporter").map(startByCommand));
  // It ends where it finds no pool when it starts; a stack starts it after the pool.
  await startByCommand("pgbouncer-exporter");
});

afterAll(() => stack.remove());

describe.each(here)("%s", (name) => {
  test("outlives the command that started it, and answers", async () => {
    expect(isServiceRunning(stack.stateDir, name)).toBe(true);
    await questions[name]();
  });

  test("is left alone where it runs as declared", async () => {
    const pid = pidOf(name);
    expect((await stack.start(declarations[name])).pid).toBe(pid);
  });

  test("is started once where two start it at the same time", async () => {
    process.kill(pidOf(name) as number, "SIGKILL");
    const answers = await Promise.all([startByCommand(name), startByCommand(name)]);
    expect(answers.map(({ pid }) => pid)).toEqual([pidOf(name), pidOf(name)]);
  });

  test("is missed after a SIGKILL, and comes back", async () => {
    const before = pidOf(name) as number;
    process.kill(before, "SIGKILL");
    await expect.poll(() => isServiceRunning(stack.stateDir, name)).toBe(false);
    const { pid } = await stack.start(declarations[name]);
    expect(pid).not.toBe(before);
    await questions[name]();
  });
});

test("no password is in a log, a configuration, an argument or an environment", () => {
  const kept = here.map((name) => join(stack.stateDir, "services", name, "secrets"));
  for (const password of Object.values(stackSecrets)) {
    const files = filesWith(stack.stateDir, password).filter(
      (file) => !kept.some((dir) => file.startsWith(dir)),
    );
    expect(files).toEqual([]);
    expect(processesWith(password)).toEqual([]);
  }
});

/** A backend that computes: it does not look whether its server is still there. */
async function busyBackend(): Promise<{ pid: number; ended: Promise<unknown> }> {
  const endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT count(*) FROM t";
  const ended = asRole(database, "timelift_app", (client) => client.query(endless)).catch(() => {});
  const active = `SELECT pid FROM pg_stat_activity WHERE query = '${endless}' AND state = 'active'`;
  const ask = () => asRole(database, "timelift_monitor", (client) => value(client, active));
  await expect.poll(ask).toEqual(expect.any(Number));
  return { pid: (await ask()) as number, ended };
}

test("committed rows survive the SIGKILL of a server at work, whose backends do not keep it from starting", async () => {
  await asRole(database, "timelift_owner", async (client) => {
    await client.query("CREATE TABLE kept (x int); INSERT INTO kept VALUES (42)");
  });
  const { ended } = await busyBackend();
  process.kill(pidOf("timescaledb") as number, "SIGKILL");
  await stack.start(declarations.timescaledb);
  await ended;
  const kept = await asRole(database, "timelift_app", (client) => value(client, "SELECT x FROM kept"));
  expect(kept).toBe(42);
});

test("prepared statements work through the pool while clients share server connections", async () => {
  await asRole(pool, "timelift_app", (one) =>
    asRole(pool, "timelift_app", async (two) => {
      const servers = new Set<unknown>();
      for (let turn = 0; turn < 6; turn++) {
        // A transaction of the other client takes the connection that was used last.
        await two.query("BEGIN");
        servers.add(await value(two, "SELECT pg_backend_pid()"));
        const { rows } = await one.query({
          name: "pid",
          text: "SELECT pg_backend_pid() pid, $1::int n",
          values: [turn],
        });
        expect(rows[0].n).toBe(turn);
        servers.add(rows[0].pid);
        await two.query("COMMIT");
      }
      expect(servers.size).toBeGreaterThan(1);
    }),
  );
});

test("a wrong password is refused by the server and by the pool", async () => {
  const wrong = { ...stackSecrets, timelift_app: "guess" };
  for (const port of [database, pool]) {
    await expect(
      asRole(port, "timelift_app", (client) => client.query("SELECT 1"), wrong),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(28P01|08P01)$/),
    });
  }
  await expect(askRedis(cache, "guess")).rejects.toThrow("WRONGPASS");
  await expect(asRole(pool, "timelift_loader", (client) => client.query("SELECT 1"))).rejects.toThrow();
});

test("new passwords are taken without a restart, by server and pool, and the old ones end", async () => {
  const fresh = { ...stackSecrets, timelift_app: "app-Zq90", timelift_readonly: "readonly-Zq91" };
  const before = [pidOf("timescaledb"), pidOf("pgbouncer")];
  await stack.start(declarations.timescaledb, fresh);
  await stack.start(declarations.pgbouncer, fresh);
  expect([pidOf("timescaledb"), pidOf("pgbouncer")]).toEqual(before);
  for (const port of [database, pool]) {
    await asRole(port, "timelift_app", (client) => client.query("SELECT 1"), fresh);
    await expect(asRole(port, "timelift_app", (client) => client.query("SELECT 1"))).rejects.toThrow();
  }
  await stack.start(declarations.timescaledb);
  await stack.start(declarations.pgbouncer);
});

test("a setting is taken in place where it can be, else by a restart", async () => {
  const show = (name: string) => asRole(database, "timelift_app", (client) => value(client, `SHOW ${name}`));
  const changed = (settings: Record<string, string | number>) => ({
    ...declarations.timescaledb,
    settings: { ...declarations.timescaledb.settings, ...settings },
  });
  const before = pidOf("timescaledb");
  await stack.start(changed({ work_mem: "12345kB" }));
  expect([pidOf("timescaledb"), await show("work_mem")]).toEqual([before, "12345kB"]);
  await stack.start(changed({ max_connections: 77 }));
  expect(pidOf("timescaledb")).not.toBe(before);
  expect(await show("max_connections")).toBe("77");
  // The server would go on with its old settings; that must not pass for success.
  await expect(stack.start(changed({ work_mem: "nonsense" }))).rejects.toMatchObject({
    code: "service-died",
  });
  await stack.start(declarations.timescaledb);
});

test("prometheus takes new targets in place", async () => {
  const before = pidOf("prometheus");
  const scrape = [{ job: "nothing", targets: ["127.0.0.1:1"] }];
  await stack.start(prometheus({ port: metrics, scrape }));
  expect(pidOf("prometheus")).toBe(before);
  const config = await (await fetch(`http://127.0.0.1:${metrics}/api/v1/status/config`)).text();
  expect(config).toContain("job_name: nothing");
});

test("a taken port names who holds it and the line that moves the service", async () => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => squatter.once("listening", resolve));
  const { port } = squatter.address() as { port: number };
  const other = new NativeStack();
  const failure = await other.start(redis({ port })).catch((error) => error);
  squatter.close();
  expect(failure).toMatchObject({ code: "port-taken", subject: `port ${port} of redis` });
  expect(failure.message).toContain(`process ${process.pid} (`);
  expect(failure.message).toMatch(/pulumi config set --path timelift:ports\.redis \d+/);
  expect(isServiceRunning(other.stateDir, "redis")).toBe(false);
  await other.remove();
});

test("a service that ends while starting says why, in the words of its log", async () => {
  const other = new NativeStack();
  const [port = 0] = await freePorts(1);
  const declaration = timescaledb({ port, database: "app" });
  declaration.settings = { ...declaration.settings, work_mem: "nonsense" };
  const failure = await other.start(declaration).catch((error) => error);
  expect(failure).toMatchObject({ code: "service-died", subject: "timescaledb" });
  expect(failure.message).toContain('invalid value for parameter "work_mem"');
  // Nothing half-made is in the way of the next start.
  const { pid } = await other.start(timescaledb({ port, database: "app", memoryMb: 512 }));
  expect(pid).toBeGreaterThan(0);
  await other.remove();
});

test("a start that is killed anywhere is taken up by the next one", async () => {
  const other = new NativeStack();
  const [port = 0] = await freePorts(1);
  const declaration = timescaledb({ port, database: "app", memoryMb: 512 });
  const request = { stateDir: other.stateDir, declaration, secrets: stackSecrets };
  for (const sign of ["data.new-", "service.pid", "data/postmaster.pid"]) {
    const starter = execa(process.execPath, [main, "service", "start"], {
      input: `${JSON.stringify(request)}\n`,
      reject: false,
    });
    const folder = join(other.stateDir, "services/timescaledb");
    await expect.poll(() => exists(folder, sign), { interval: 5, timeout: 30_000 }).toBe(true);
    starter.kill("SIGKILL");
    await starter;
  }
  await other.start(declaration);
  expect(isServiceRunning(other.stateDir, "timescaledb")).toBe(true);
  await other.remove();
  expect(processesWith(other.stateDir)).toEqual([]);
});

/** Whether there is something in the folder whose path there begins so. */
function exists(folder: string, start: string): boolean {
  const parent = join(folder, start, "..");
  return existsSync(parent) && readdirSync(parent).some((name) => name.startsWith(basename(start)));
}

describe("stop", () => {
  test("leaves no process, port, socket or pid file, and keeps the data", async () => {
    const folders = here.map((name) => new ServiceFolder(stack.stateDir, name));
    const processes = folders.map((folder) => folder.process as ProcessIdentity);
    const sockets = folders.map((folder) => folder.socketFolder);
    for (const name of [...here].reverse()) {
      await stopService({ stateDir: stack.stateDir, declaration: { name } });
    }
    expect(processes.filter(isAlive)).toEqual([]);
    for (const port of ports) expect(await isPortFree(port)).toBe(true);
    for (const folder of folders) {
      expect([folder.pidFile, join(folder.path, "secrets")].filter(existsSync)).toEqual([]);
    }
    expect(sockets.filter(existsSync)).toEqual([]);
    expect(processesWith(stack.stateDir)).toEqual([]);
  });

  test("kept data is found again, also with new passwords", async () => {
    const fresh = { ...stackSecrets, timelift_app: "app-Zq99" };
    await stack.start(declarations.timescaledb, fresh);
    const kept = await asRole(
      database,
      "timelift_app",
      (client) => value(client, "SELECT x FROM kept"),
      fresh,
    );
    expect(kept).toBe(42);
  });

  test("ends the backends of a server that was killed", async () => {
    await stack.start(declarations.timescaledb);
    const { pid, ended } = await busyBackend();
    const backend = identify(pid) as ProcessIdentity;
    process.kill(pidOf("timescaledb") as number, "SIGKILL");
    await expect.poll(() => pidOf("timescaledb")).toBeUndefined();
    await stopService({ stateDir: stack.stateDir, declaration: { name: "timescaledb" } });
    await ended;
    expect(isAlive(backend)).toBe(false);
  });

  test("dropData removes the data, and stopping twice is no error", async () => {
    for (let turn = 0; turn < 2; turn++) {
      for (const name of here) {
        await stopService({ stateDir: stack.stateDir, declaration: { name }, dropData: true });
      }
    }
    expect(existsSync(join(stack.stateDir, "services"))).toBe(false);
  });
});
