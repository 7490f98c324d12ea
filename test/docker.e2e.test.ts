import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { serviceNames as allServices, type ServiceName } from "../stacks/services/service.ts";
import { docker, logsOf, noDocker } from "./docker-engine.ts";
import { ProjectCopy } from "./project-copy.ts";

/** Its images are made of Debian's programs, which has no Grafana. */
const serviceNames = allServices.filter((name) => name !== "grafana");
if (noDocker) console.log(`SKIP the docker platform on an engine: ${noDocker}`);

/** One story on a real engine: each test goes on where the one before it ended. */
describe.skipIf(noDocker)("a stack of containers, from nothing to destroyed", () => {
  const stack = `e2e-${randomBytes(3).toString("hex")}`;
  const prefix = `timelift-${stack}`;
  const filter = ["--filter", `label=timelift.stack=${prefix}`];
  let project: ProjectCopy;
  let rows: number;

  beforeAll(async () => {
    project = await ProjectCopy.make({}, stack);
    const sample = await buildSample(join(project.dir, "app.db"));
    rows = Object.values(sample.rows).reduce((sum, count) => sum + count, 0);
    configure({});
  });

  afterAll(async () => {
    for (const id of engineHas("ps", "--all")) docker("rm", "--force", "--volumes", id);
    for (const name of engineHas("volume", "ls")) docker("volume", "rm", name);
    for (const id of engineHas("network", "ls")) docker("network", "rm", id);
    project.remove();
  });

  const engineHas = (...kind: string[]) =>
    docker(...kind, "--quiet", ...filter)
      .split("\n")
      .filter(Boolean);

  const configure = (more: Record<string, unknown>) =>
    project.configure({
      ...{ source: "app.db", platform: "docker", images: "sysroot", dropData: true, memoryMb: 512 },
      ...{ ports: project.ports, publish: { pgbouncer: "127.0.0.1" }, ...more },
    });

  async function timelift(...args: string[]): Promise<string> {
    const { exitCode, output } = await project.timelift(...args, "--stack", stack);
    if (exitCode !== 0) throw new Error(output);
    return output;
  }

  const up = () => timelift("up", "--skip-preview");

  const output = async <T>(name: string): Promise<T> =>
    JSON.parse((await project.pulumi("stack", "output", name, "--json", "--show-secrets")).stdout) as T;

  async function query(sql: string, url = "databaseUrl"): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(await output<string>(url));
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  const idOf = (service: ServiceName) => docker("inspect", "--format", "{{.Id}}", `${prefix}-${service}`);

  test("preview declares containers before any is there", async () => {
    const text = await timelift("preview");
    for (const name of serviceNames)
      expect(text).toMatch(new RegExp(`docker:index:Container ${name} create`));
    expect(engineHas("ps", "--all")).toEqual([]);
  });

  test("up imports the image, deploys, loads and validates every row", async () => {
    await up();
    expect(await output("rows")).toBe(rows);
    expect(await output("validated")).toBe("PASS");
    expect((await output<string[]>("checks")).filter((line) => line.startsWith("FAIL"))).toEqual([]);
    expect(await query("SELECT count(*)::int AS n FROM price_history")).toEqual([{ n: expect.any(Number) }]);
  });

  test("up again changes nothing, nor imports anything", async () => {
    const images = docker("images", "--quiet", "timelift-sysroot");
    const text = await up();
    expect(text).toMatch(/\d+ unchanged/);
    expect(text).not.toMatch(/[+~-] \d+ (created|updated|replaced|deleted)/);
    await timelift("preview", "--expect-no-changes");
    expect(docker("images", "--quiet", "timelift-sysroot")).toBe(images);
  });

  test("nothing is published but what the config says, and that on loopback", () => {
    const published = serviceNames.map((name) => [name, docker("port", `${prefix}-${name}`)]);
    const { timescaledb, pgbouncer } = project.ports;
    expect(Object.fromEntries(published)).toEqual({
      ...{ timescaledb: `${timescaledb}/tcp -> 127.0.0.1:${timescaledb}` },
      ...{ pgbouncer: `${pgbouncer}/tcp -> 127.0.0.1:${pgbouncer}` },
      ...{ redis: "", prometheus: "" },
    });
  });

  test("services run without root, capability, or a file of their own to write", () => {
    for (const name of serviceNames) {
      const status = docker("exec", `${prefix}-${name}`, "/usr/bin/cat", "/proc/1/status");
      expect(/^CapEff:\s+(\w+)$/m.exec(status)?.[1]).toBe("0000000000000000");
      expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBeGreaterThan(0);
      expect(() => docker("exec", `${prefix}-${name}`, "/usr/bin/touch", "/timelift/new")).toThrow(
        /Read-only file system/,
      );
      expect(() => docker("exec", "--user", "0", `${prefix}-${name}`, "/usr/bin/touch", "/new")).toThrow(
        /Read-only file system/,
      );
    }
  });

  test("no password is in state, container, log, argument or environment", async () => {
    const { stdout } = await project.pulumi("stack", "export", "--show-secrets");
    const { deployment } = JSON.parse(stdout) as {
      deployment: { resources: { type: string; outputs?: { passwords?: { plaintext: string } } }[] };
    };
    const passwords = deployment.resources.flatMap(({ outputs }) =>
      outputs?.passwords ? Object.values(JSON.parse(outputs.passwords.plaintext) as object) : [],
    ) as string[];
    expect(passwords).toHaveLength(7);
    const names = docker("ps", "--all", "--format", "{{.Names}}", ...filter).split("\n");
    const state = join(project.dir, ".timelift/state/.pulumi/stacks/timelift", `${stack}.json`);
    const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid));
    const texts = {
      state: readFileSync(state, "utf8"),
      containers: docker("inspect", ...names),
      logs: serviceNames.map((name) => logsOf(`${prefix}-${name}`)).join(),
      processes: processes
        .flatMap((pid) => [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)])
        .join(),
    };
    expect(texts.logs).toContain("database system is ready to accept connections");
    for (const [place, text] of Object.entries(texts)) {
      for (const password of passwords) expect([place, text.includes(password)]).toEqual([place, false]);
      expect([place, text.includes("SCRAM-SHA-256$")]).toEqual([place, false]);
    }
  });

  test("every command finds the target", async () => {
    expect(await timelift("validate")).toContain("validation PASS");
    expect(await timelift("schema", "--diff")).toContain("no drift");
    expect(await timelift("maintain", "--list")).toContain("refresh ohlc_daily");
    expect(await timelift("load", "--status")).toContain("complete");
    expect(await timelift("logs", "redis")).toContain("Ready to accept connections");
    const { stdout } = await project.timelift("psql", "--stack", stack, "--", "-Atc", "SELECT 7 * 6");
    expect(stdout.trim()).toBe("42");
    const status = JSON.parse((await project.timelift("status", "--json", "--stack", stack)).stdout);
    expect(status.map(({ service, state }: Record<string, string>) => [service, state])).toEqual(
      serviceNames.map((name) => [name, "running (healthy)"]),
    );
  });

  test("a changed config replaces one container, which keeps its data", async () => {
    const before = [idOf("timescaledb"), idOf("redis")];
    configure({ memoryMb: 640 });
    await up();
    expect(idOf("timescaledb")).not.toBe(before[0]);
    expect(idOf("redis")).toBe(before[1]);
    expect(await query("SHOW shared_buffers", "directUrl")).toEqual([{ shared_buffers: "160MB" }]);
    expect(await output("rows")).toBe(rows);
    const [{ n } = {}] = await query("SELECT count(*)::int AS n FROM price_history");
    const source = new Database(join(project.dir, "app.db"), { readonly: true });
    expect(n).toBe(source.prepare("SELECT count(*) FROM price_history").pluck().get());
    source.close();
  });

  test("a lost and a stopped container come back", async () => {
    docker("rm", "--force", `${prefix}-timescaledb`);
    docker("stop", `${prefix}-redis`);
    docker("stop", `${prefix}-pgbouncer`);
    const text = await timelift("preview");
    expect(text).toMatch(/Container timescaledb create/);
    await up();
    for (const name of serviceNames) {
      const state = docker("inspect", "--format", "{{.State.Status}}", `${prefix}-${name}`);
      expect([name, state]).toEqual([name, "running"]);
    }
    expect(await query("SELECT count(*)::int AS n FROM stocks")).toEqual([{ n: 6 }]);
  });

  test("destroy keeps the data where they are to be kept, and the next up takes them", async () => {
    configure({ dropData: false });
    await up();
    await timelift("destroy");
    expect(engineHas("ps", "--all")).toEqual([]);
    expect(engineHas("network", "ls")).toEqual([]);
    expect(engineHas("volume", "ls").sort()).toEqual(
      ["prometheus", "redis", "timescaledb"].map((name) => `${prefix}-${name}-data`),
    );
    await up();
    const summary = await output<Record<string, string>>("loaded");
    for (const line of Object.values(summary)) expect(line).toContain("0 inserted, 0 updated, 0 deleted");
    expect(await output("validated")).toBe("PASS");
  });

  test("a protection that was not deployed yet keeps the data from destroy", async () => {
    configure({ dropData: true });
    expect(await timelift("preview", "--diff")).toMatch(/~ dropData *: false => true/);
    await up();
    configure({ dropData: false, protect: true });
    const { exitCode, output: text } = await project.timelift("destroy", "--stack", stack);
    expect([exitCode, text]).toEqual([1, expect.stringContaining("timescaledb-data")]);
    expect(idOf("timescaledb")).not.toBe("");
  });

  test("destroy with dropData leaves nothing but the image", async () => {
    configure({ dropData: true });
    await up();
    await timelift("destroy");
    for (const kind of [
      ["ps", "--all"],
      ["network", "ls"],
      ["volume", "ls"],
    ]) {
      expect([kind, engineHas(...kind)]).toEqual([kind, []]);
    }
    expect(docker("images", "--quiet", "timelift-sysroot")).not.toBe("");
    expect(readdirSync(join(project.dir, ".timelift", stack, "containers"))).toEqual([]);
  });
});

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
