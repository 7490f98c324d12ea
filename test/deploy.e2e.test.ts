import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { execa } from "execa";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { isOnHost } from "../stacks/platforms/native/program.ts";
import { serviceNames } from "../stacks/services/service.ts";
import { runPython } from "./application/python.ts";
import { outcome, ProjectCopy } from "./project-copy.ts";
import { familyOf, leaks, listening, openFiles, processes, secretsOf } from "./secrecy.ts";

/** One story through the real Pulumi CLI: each test goes on where the one before it ended. */
describe("a stack, from nothing to destroyed", () => {
  let project: ProjectCopy;
  let source: string;
  let rows: number;
  /** What commands have said so far. */
  const printed: Record<string, string> = {};
  /** Files that are there to hold a secret: a passphrase, the passwords and keys of services, and the data. */
  const isKept = (file: string) =>
    file === ".timelift/passphrase" || /^\.timelift\/dev\/services\/[\w-]+\/(secrets|data)\//.test(file);

  beforeAll(async () => {
    project = await ProjectCopy.make({});
    source = join(project.dir, "app.db");
    const sample = await buildSample(source);
    rows = Object.values(sample.rows).reduce((sum, count) => sum + count, 0);
    configure({});
  });

  afterAll(async () => {
    configure({ dropData: true });
    await project.timelift("destroy");
    project.remove();
  });

  const configure = (more: Record<string, unknown>) =>
    project.configure({ source: "app.db", dropData: true, ports: project.ports, ...more });

  const output = <T = string>(name: string) => project.output<T>(name);

  async function query<Row>(sql: string, url = "databaseUrl"): Promise<Row[]> {
    const client = new pg.Client(project.fromHere(await output<string>(url)));
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async function up(): Promise<string> {
    const { exitCode, output: text } = await project.timelift("up");
    printed.up = `${printed.up ?? ""}${text}`;
    if (exitCode !== 0) throw new Error(text);
    return text;
  }

  const statusOf = async (service: string) => {
    const { stdout } = await project.timelift("status", "--json");
    const services = JSON.parse(stdout) as { service: string; pid: number | null; state: string }[];
    return services.find((each) => each.service === service);
  };

  test("preview shows services, SQL and rows before any server exists", async () => {
    const { exitCode, output: text } = await project.timelift("preview", "--diff");
    printed.preview = text;
    expect(exitCode, text).toBe(0);
    for (const service of serviceNames.filter((name) => name !== "grafana" || isOnHost(name)))
      expect(text).toContain(service);
    expect(text).toContain('CREATE TABLE \\"price_history\\" (');
    expect(text).toContain("create_hypertable");
    expect(text).toContain('ADD CONSTRAINT \\"price_history_pkey\\" PRIMARY KEY');
    expect(text).toMatch(/price_history\s*: "[\d,]+ rows/);
    expect(existsSync(join(project.dir, ".timelift", "dev", "services"))).toBe(false);
  });

  test("up deploys, loads and validates every row", async () => {
    await up();
    expect(await output("rows")).toBe(rows);
    expect(await output("validated")).toBe("PASS");
    const checks = await output<string[]>("checks");
    expect(checks.filter((line) => line.startsWith("FAIL"))).toEqual([]);
    expect(checks.filter((line) => line.startsWith("PASS")).length).toBeGreaterThan(30);
    const [count] = await query<{ count: string }>("SELECT count(*) FROM price_history");
    const reader = new Database(source, { readonly: true });
    const expected = reader.prepare("SELECT count(*) FROM price_history").pluck().get();
    reader.close();
    expect(Number(count?.count)).toBe(expected);
  });

  test("no secret is in the state, a file that others can read, a log, a process or what was printed", async () => {
    const secrets = await secretsOf(project);
    // Six passwords, the passphrase, and two lines of each of two keys.
    expect(secrets.length).toBeGreaterThanOrEqual(11);
    const { stdout: state } = await project.pulumi("stack", "export");
    const places = () => ({ ...openFiles(project, isKept), ...processes(), ...printed, state });
    expect(Object.keys(places())).toContain(".timelift/dev/services/timescaledb/log/timescaledb.log");
    expect(Object.keys(places()).join()).toContain(".timelift/state/.pulumi/stacks/timelift/dev.json");
    expect(leaks(places(), secrets)).toEqual([]);

    // The search finds what is hidden where it may not be.
    const [secret = ""] = secrets.slice(1);
    const planted = join(project.dir, ".timelift/dev/planted.txt");
    writeFileSync(planted, `x${secret}x`, { mode: 0o600 });
    const child = execa(process.execPath, ["-e", "setTimeout(() => {}, 60000)", secret], { reject: false });
    expect(leaks(places(), secrets).sort()).toEqual([
      ".timelift/dev/planted.txt",
      `/proc/${child.pid}/cmdline`,
    ]);
    child.kill();
    rmSync(planted);
    await child;
  });

  test("nothing listens beyond loopback and the declared ports", async () => {
    const names = serviceNames.filter((name) => name !== "grafana" || isOnHost(name));
    const pids = await Promise.all(names.map(async (name) => (await statusOf(name))?.pid as number));
    expect(listening(pids.flatMap(familyOf))).toEqual(
      names.map((name) => `127.0.0.1:${project.ports[name]}`).sort(),
    );
  });

  test("a client in plain text is refused by the server and by the pool", async () => {
    for (const name of ["databaseUrl", "directUrl"]) {
      const url = new URL(await output<string>(name));
      const plain = new pg.Client(url.href.replace(url.search, ""));
      await expect(plain.connect()).rejects.toThrow(/no encryption|SSL required/);
    }
  });

  test("up again changes nothing", async () => {
    const text = await up();
    expect(text).toMatch(/\d+ unchanged/);
    expect(text).not.toMatch(/[+~-] \d+ (created|updated|replaced|deleted)/);
    const { exitCode } = await project.timelift("preview", "--expect-no-changes");
    expect(exitCode).toBe(0);
  });

  test("a source that grew sends only its new rows", async () => {
    const writer = new Database(source);
    const insert = writer.prepare(
      `INSERT INTO price_history (symbol, date, open_price, high_price, low_price, close_price, volume, interval)
       VALUES ('^GSPC', date('2030-01-01', ? || ' days'), 1, 2, 0.5, 1.5, 10, '1d')`,
    );
    for (let day = 0; day < 26; day += 1) insert.run(day);
    writer.close();
    const { output: preview } = await project.timelift("preview", "--diff");
    expect(preview).toMatch(/price_history.*\+26/);
    await up();
    expect(await output("rows")).toBe(rows + 26);
    const summary = await output<Record<string, string>>("loaded");
    expect(summary.price_history).toContain("26 inserted, 0 updated, 0 deleted");
    expect(summary.stocks).toContain("0 inserted, 0 updated, 0 deleted");
    rows += 26;
  });

  test("an updated and a deleted row of the source are found", async () => {
    const writer = new Database(source);
    writer.exec("UPDATE price_history SET close_price = 99.25 WHERE date = '2030-01-02'");
    writer.exec("DELETE FROM price_history WHERE date = '2030-01-03'");
    writer.close();
    await up();
    const summary = await output<Record<string, string>>("loaded");
    expect(summary.price_history).toContain("0 inserted, 1 updated, 1 deleted");
    expect(await query("SELECT close FROM price_history WHERE time = '2030-01-02'")).toEqual([
      { close: 99.25 },
    ]);
    rows -= 1;
  });

  test("a killed service is noticed by preview and started by up", async () => {
    const before = await statusOf("redis");
    process.kill(before?.pid as number, "SIGKILL");
    await expect.poll(async () => (await statusOf("redis"))?.state).not.toBe("running");
    const { output: preview } = await project.timelift("preview", "--diff");
    expect(preview).toContain("not running; up starts it again");
    expect(preview).toMatch(/~ 1 to update/);
    expect(preview).not.toContain("[unknown]");
    await up();
    expect((await statusOf("redis"))?.state).toBe("running");
  });

  test("the application inserts through SQLModel and the pooler what the load did not bring", async () => {
    const url = project.fromHere(await output<string>("databaseUrl"));
    expect(url).toContain("sslmode=verify-full&sslrootcert=");
    expect(await runPython("insert.py", url)).toBe("inserted after 3");
  });

  test("a row altered behind its back fails the update and is named", async () => {
    const alter = (close: string) =>
      query(`UPDATE price_history SET close = ${close} WHERE symbol = '^GSPC' AND time = '2000-01-03'`);
    const [original] = await query<{ close: number }>(
      "SELECT close FROM price_history WHERE symbol = '^GSPC' AND time = '2000-01-03'",
    );
    await alter("close + 0.0001");
    configure({ validate: "always" });
    const { exitCode, output: text } = await project.timelift("up");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("FAIL");
    expect(text).toContain("^GSPC");
    expect(text).toContain(String(original?.close));
    const page = join(project.dir, ".timelift/dev/report.html");
    expect(text).toContain("report.html");
    expect(readFileSync(page, "utf8")).toContain(String(original?.close));
    expect((await project.timelift("report")).exitCode).toBe(1);
    const failed = await project.timelift("validate");
    expect([failed.exitCode, failed.stdout]).toEqual([1, expect.stringContaining("1 row differs")]);
    await alter(String(original?.close));
    const passed = await project.timelift("validate");
    expect([passed.exitCode, passed.stdout]).toEqual([0, expect.stringContaining("validation PASS")]);
    await up();
    configure({});
    expect(await output("validated")).toBe("PASS");
  });

  test("an update killed in the middle leaves a lock that the next one clears", async () => {
    const writer = new Database(source);
    writer.exec("UPDATE price_history SET volume = volume + 1 WHERE symbol = '^GSPC'");
    writer.close();
    await signalMidway("SIGKILL");
    expect(await up()).toContain("was killed; its lock is cleared");
    expect(await output("validated")).toBe("PASS");
  });

  test("Ctrl-C in the middle of up leaves a stack that the next up completes", async () => {
    const writer = new Database(source);
    writer.exec("UPDATE price_history SET volume = volume + 1 WHERE symbol = '^GSPC'");
    writer.close();
    await signalMidway("SIGINT");
    await up();
    expect(await output("validated")).toBe("PASS");
  });

  test("migrations go down to a name and come up again", async () => {
    const down = await project.timelift("migrate", "down", "0002_hypertable_keys");
    expect(down.exitCode, down.output).toBe(0);
    const keys = "SELECT conname FROM pg_constraint WHERE conname = 'price_history_pkey'";
    expect(await query(keys, "directUrl")).toEqual([]);
    const again = await project.timelift("migrate", "up");
    expect(again.exitCode, again.output).toBe(0);
    expect(await query(keys, "directUrl")).toHaveLength(1);
  });

  test("destroy keeps the rows when dropData is off, and the next up finds them", async () => {
    configure({ dropData: false });
    await up();
    const { exitCode, output: text } = await project.timelift("destroy");
    expect(exitCode, text).toBe(0);
    await expectNothingRuns();
    await up();
    const summary = await output<Record<string, string>>("loaded");
    for (const line of Object.values(summary)) expect(line).toContain("0 inserted, 0 updated, 0 deleted");
    expect(await output("rows")).toBe(rows);
  });

  test("destroy with dropData leaves no process, port, lock or row", async () => {
    configure({ dropData: true });
    await up();
    const { exitCode, output: text } = await project.timelift("destroy");
    expect(exitCode, text).toBe(0);
    await expectNothingRuns();
    const services = join(project.dir, ".timelift", "dev", "services");
    const left = existsSync(services)
      ? readdirSync(services).filter((name) => existsSync(join(services, name, "data")))
      : [];
    expect(left).toEqual([]);
    expect(existsSync(join(project.dir, ".timelift", "dev", "source"))).toBe(false);
    expect(locks()).toEqual([]);
  });

  /** Starts an up and sends Pulumi a signal while the load or what follows it is under way. */
  async function signalMidway(signal: "SIGKILL" | "SIGINT"): Promise<void> {
    const child = project.start("up", "--skip-preview");
    const pid = await new Promise<number>((resolve, reject) => {
      child.all.on("data", (data: Buffer) => {
        if (!/SqliteLoad load updating/.test(String(data))) return;
        const [lock] = locks();
        if (!lock) return reject(new Error("an update is under way without a lock"));
        resolve((JSON.parse(readFileSync(join(lockDir(), lock), "utf8")) as { pid: number }).pid);
      });
      child.all.once("end", () => reject(new Error("the update ended before it could be stopped")));
    });
    process.kill(pid, signal);
    const { exitCode } = await outcome(child);
    expect(exitCode).not.toBe(0);
  }

  const lockDir = () => join(project.dir, ".timelift/state/.pulumi/locks/organization/timelift/dev");

  function locks(): string[] {
    return existsSync(lockDir()) ? readdirSync(lockDir()).filter((file) => file.endsWith(".json")) : [];
  }

  async function expectNothingRuns(): Promise<void> {
    for (const [service, port] of Object.entries(project.ports)) {
      const listening = await new Promise((resolve) => {
        const socket = createConnection({ port, host: "127.0.0.1" });
        socket.once("connect", () => resolve(socket.destroy() && true)).once("error", () => resolve(false));
      });
      expect([service, listening]).toEqual([service, false]);
    }
    const holders = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(project.dir);
        } catch {
          return false;
        }
      });
    expect(holders).toEqual([]);
  }
});
