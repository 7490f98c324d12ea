import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { serviceNames as allServices, type ServiceName } from "../stacks/services/service.ts";
import { AskingApplication } from "./asking-application.ts";
import { docker, logsOf, noDocker } from "./docker-engine.ts";
import { ProjectCopy } from "./project-copy.ts";
import { familyOf, leaks, listening, openFiles, type Places, processes, secretsOf } from "./secrecy.ts";

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
  /** What commands have said so far. */
  let printed = "";
  let passwordGeneration = 1;

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
      ...{ ports: project.ports, publish: { pgbouncer: "127.0.0.1" }, passwordGeneration, ...more },
    });

  async function timelift(...args: string[]): Promise<string> {
    const { exitCode, output } = await project.timelift(...args, "--stack", stack);
    printed += output;
    if (exitCode !== 0) throw new Error(output);
    return output;
  }

  const up = () => timelift("up", "--skip-preview");

  const output = <T = string>(name: string) => project.output<T>(name);

  async function connected(url: string): Promise<pg.Client> {
    const client = new pg.Client(project.fromHere(await output<string>(url)));
    await client.connect();
    return client;
  }

  /** The certificate that a server has shown to a client. */
  const certificateOf = (client: pg.Client) =>
    (client as unknown as { connection: { stream: TLSSocket } }).connection.stream.getPeerCertificate();

  async function query(sql: string, url = "databaseUrl"): Promise<Record<string, unknown>[]> {
    const client = await connected(url);
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
      ...Object.fromEntries(serviceNames.map((name) => [name, ""])),
      ...{ timescaledb: `${timescaledb}/tcp -> 127.0.0.1:${timescaledb}` },
      ...{ pgbouncer: `${pgbouncer}/tcp -> 127.0.0.1:${pgbouncer}` },
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

  test("no secret is in state, file, container, log, argument, environment or what was printed", async () => {
    const secrets = await secretsOf(project);
    // Eight passwords, the passphrase, and two lines of each of two keys.
    expect(secrets.length).toBeGreaterThanOrEqual(13);
    const names = docker("ps", "--all", "--format", "{{.Names}}", ...filter).split("\n");
    const texts: Places = {
      state: (await project.pulumi("stack", "export")).stdout,
      ...Object.fromEntries(names.map((name) => [`inspect ${name}`, docker("inspect", name)])),
      ...Object.fromEntries(names.map((name) => [`log of ${name}`, logsOf(name)])),
      ...{ network: docker("network", "inspect", prefix), printed },
    };
    expect(texts[`log of ${prefix}-timescaledb`]).toContain("database system is ready to accept connections");
    expect(texts[`log of ${prefix}-timescaledb`]).toMatch(
      /timelift_owner_a@timelift .*statement: CREATE TABLE/,
    );
    const isKept = (file: string) =>
      file === ".timelift/passphrase" || file.startsWith(`.timelift/${stack}/containers/`);
    const places = { ...texts, ...openFiles(project, isKept), ...processes() };
    expect(leaks(places, secrets)).toEqual([]);
    for (const [place, text] of Object.entries(texts)) {
      expect([place, text.includes("SCRAM-SHA-256$")]).toEqual([place, false]);
    }
    expect(leaks({ ...texts, planted: `x${secrets.at(-1)}x` }, secrets)).toEqual(["planted"]);
  });

  test("a client in plain text is refused by the server and by the pool", async () => {
    for (const name of ["databaseUrl", "directUrl"]) {
      const url = new URL(await output<string>(name));
      const plain = new pg.Client(url.href.replace(url.search, ""));
      await expect(plain.connect()).rejects.toThrow(/no encryption|SSL required/);
    }
    const client = await connected("databaseUrl");
    // The session is its login's, not its role's, which does not see it.
    await client.query("BEGIN; SET LOCAL ROLE NONE");
    const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    await client.end();
    expect(rows).toEqual([{ ssl: true }]);
  });

  test("a container listens at its own port, and at no other", () => {
    for (const name of serviceNames) {
      const pid = Number(docker("inspect", "--format", "{{.State.Pid}}", `${prefix}-${name}`));
      const ports = listening(familyOf(pid)).map((address) => Number(address.split(":").at(-1)));
      expect([name, [...new Set(ports)]]).toEqual([name, [project.ports[name]]]);
    }
  });

  test("a renewed certificate is taken by the containers that run, without a lost connection", async () => {
    const containers = [idOf("timescaledb"), idOf("pgbouncer")];
    const held = await Promise.all(["databaseUrl", "directUrl"].map(connected));
    const before = await Promise.all(held.map(certificateOf));
    configure({ tls: { names: ["db.example.com"] } });
    await up();
    for (const client of held) expect((await client.query("SELECT 42 AS n")).rows).toEqual([{ n: 42 }]);
    const anew = await Promise.all(["databaseUrl", "directUrl"].map(connected));
    const after = await Promise.all(anew.map(certificateOf));
    for (const { subjectaltname } of before) expect(subjectaltname).not.toContain("db.example.com");
    for (const { subjectaltname } of after) expect(subjectaltname).toContain("db.example.com");
    expect([idOf("timescaledb"), idOf("pgbouncer")]).toEqual(containers);
    for (const client of [...held, ...anew]) await client.end();
    configure({});
    await up();
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

  test("new passwords replace no service's container, and no request of an application fails", async () => {
    // These two log in themselves, so they are made anew.
    const others = serviceNames.filter((name) => !/^(postgres|pgbouncer)-exporter$/.test(name));
    const before = others.map(idOf);
    const old = await output<string>("databaseUrl");
    const application = new AskingApplication(project.fromHere(old), "SELECT count(*) FROM stocks");
    await expect.poll(() => application.asked).toBeGreaterThan(20);
    configure({ passwordGeneration: 2 });
    expect(await timelift("preview")).not.toMatch(
      /Container (timescaledb|pgbouncer|redis|prometheus) +replace/,
    );
    await up();
    const bumped = application.asked;
    await expect.poll(() => application.asked).toBeGreaterThan(bumped + 20);
    await application.end();
    expect(application.failures).toEqual([]);
    expect(others.map(idOf)).toEqual(before);
    expect(await output("databaseUrl")).toContain("//timelift_app_b:");
    expect(await query("SELECT current_user::text AS role, session_user::text AS login")).toEqual([
      { role: "timelift_app", login: "timelift_app_b" },
    ]);
    passwordGeneration = 2;
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
      ["alertmanager", "prometheus", "redis", "timescaledb"].map((name) => `${prefix}-${name}-data`),
    );
    await up();
    const summary = await output<Record<string, string>>("loaded");
    for (const line of Object.values(summary)) expect(line).toContain("0 inserted, 0 updated, 0 deleted");
    expect(await output("validated")).toBe("PASS");
  });

  test("a killed up leaves nothing in the way: the next one makes the container anew, with its data", async () => {
    docker("rm", "--force", `${prefix}-redis`, `${prefix}-prometheus`);
    const volume = docker("volume", "inspect", "--format", "{{.CreatedAt}}", `${prefix}-redis-data`);
    const killed = project.start("up", "--skip-preview", "--stack", stack);
    const isThere = () => docker("ps", "--all", "--quiet", "--filter", `name=^/${prefix}-redis$`) !== "";
    await expect.poll(isThere, { timeout: 60_000, interval: 50 }).toBe(true);
    const tree = descendantsOf(killed.pid as number);
    for (const pid of tree) process.kill(pid, "SIGKILL");
    await killed;
    const live = () => tree.filter((pid) => existsSync(`/proc/${pid}`));
    await expect.poll(live, { timeout: 10_000 }).toEqual([]);
    expect(await up()).toContain(`An update was killed while it made the container ${prefix}-redis`);
    expect(await output("validated")).toBe("PASS");
    expect(docker("volume", "inspect", "--format", "{{.CreatedAt}}", `${prefix}-redis-data`)).toBe(volume);
    expect(await up()).not.toMatch(/An update was killed|[+~-] \d+ (created|updated|replaced|deleted)/);
  });

  test("another project's stack of this name is refused before it makes anything", async () => {
    const other = await ProjectCopy.make({}, stack);
    try {
      await buildSample(join(other.dir, "app.db"));
      other.configure({ source: "app.db", platform: "docker", images: "sysroot", ports: other.ports });
      const { exitCode, output: text } = await other.timelift("up", "--skip-preview", "--stack", stack);
      expect([exitCode, text]).toEqual([
        1,
        expect.stringContaining("a stack of this name that is not this one"),
      ]);
      expect(text).toContain(`${prefix}-timescaledb`);
    } finally {
      other.remove();
    }
  });

  test("a protection that was not deployed yet keeps the data from destroy", async () => {
    configure({ dropData: true });
    expect(await timelift("preview", "--diff")).toMatch(/~ dropData *: false => true/);
    await up();
    configure({ dropData: false, protect: true });
    const replacing = async (name: string) => {
      const urn = `urn:pulumi:${stack}::timelift::docker:index/volume:Volume::${name}`;
      return project.timelift("preview", "--exit-code", "--target-replace", urn, "--stack", stack);
    };
    expect(await replacing("redis-files")).toMatchObject({ exitCode: 2 });
    expect(await replacing("redis-data")).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("Volume redis-data is replaced, and what is in it with it"),
    });
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

/** A process and all that it started, as long as they live. */
function descendantsOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(descendantsOf)];
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
