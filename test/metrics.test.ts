import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exporterQueries } from "../stacks/monitoring/own-queries.ts";
import { own } from "../stacks/monitoring/series.ts";
import { loginOf } from "../stacks/services/login.ts";
import { stackSecrets } from "./native-stack.ts";
import { promtool } from "./promtool.ts";
import { StackCopy } from "./stack-copy.ts";

let at: StackCopy;
beforeAll(async () => {
  at = await StackCopy.make({
    loader: "export default { tables: { orders: {}, notes: {} } };",
    tables: `
      db.table("orders", { id: "bigint not null", placed: "date not null", amount: "integer" });
      db.keys("orders", { primary: ["id"] });
      db.table("notes", { note: "text" });`,
  });
  write(`
    CREATE TABLE orders (id INTEGER PRIMARY KEY, placed, amount);
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
      INSERT INTO orders SELECT i, CASE i WHEN 7 THEN 'soon' ELSE '2024-01-01' END, i FROM n;
    CREATE TABLE notes (note); INSERT INTO notes VALUES ('one')`);
});
afterAll(() => at?.remove());

function write(sql: string): void {
  const source = new Database(at.source);
  source.exec(sql);
  source.close();
}

/** `name{labels}` -> value. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

async function metrics(): Promise<Map<string, number>> {
  const { stdout, stderr } = await at.timelift("metrics");
  expect(stderr).toBe("");
  return samples(stdout);
}

test("before the first load there is nothing to say", async () => {
  expect(await metrics()).toEqual(new Map());
});

test("a port that is taken is said before anything is loaded", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const { exitCode, stderr } = await at.timelift("load", "--metrics-port", String(port));
  other.close();
  expect(exitCode).toBe(1);
  expect(stderr).toContain("another program listens there");
  expect(await at.rows("SELECT count(*) FROM orders")).toEqual(["0"]);
});

test("a load that runs answers Prometheus on loopback, and stops when it ends", async () => {
  const load = at.start("load", "--max-rejects", "1", "--metrics-port", "0");
  let url = "";
  const seen: string[] = [];
  load.stderr.on("data", (piece: Buffer) => {
    url ||= /metrics: (http:\S+)/.exec(piece.toString())?.[1] ?? "";
  });
  let ended = false;
  const end = load.finally(() => {
    ended = true;
  });
  while (!ended) {
    const response = url === "" ? undefined : await fetch(url).catch(() => undefined);
    if (response?.ok) seen.push(await response.text());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { exitCode, stderr } = await end;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const sent = seen.map(
    (text) => samples(text).get('timelift_run_rows{workload="shop",table="orders"}') ?? 0,
  );
  expect(sent).toEqual([...sent].sort((a, b) => a - b));
  expect(sent.some((rows) => rows > 0 && rows <= 400_000)).toBe(true);
  execFileSync(...promtool("check", "metrics"), { input: seen.at(-1) });
  await expect(fetch(url)).rejects.toThrow();
});

test("what is left afterwards is in the target: rows, parts, rejects, when, how long", async () => {
  const found = await metrics();
  const of = (name: string, labels: string) => found.get(`${name}{workload="shop",${labels}stack="dev"}`);
  expect(of("timelift_load_rows_total", 'table="orders",')).toBe(399_999);
  expect(of("timelift_rejects", 'table="orders",')).toBe(1);
  expect(of("timelift_rejects", 'table="notes",')).toBe(0);
  expect(of("timelift_load_parts_done", 'table="notes",')).toBe(1);
  expect(of("timelift_load_duration_seconds", "")).toBeGreaterThan(0);
  const finished = of("timelift_load_finished_timestamp_seconds", "") ?? 0;
  expect(Math.abs(finished - Date.now() / 1000)).toBeLessThan(600);
  expect([...found.keys()].some((key) => key.includes("validation"))).toBe(false);
});

test("a validation leaves its result, failed or not, and reads all it compares without writing", async () => {
  const first = await at.timelift("validate");
  expect(first.stdout).toContain("FAIL");
  const failed = await metrics();
  const of = (found: Map<string, number>, status: string) =>
    found.get(`timelift_validation_checks{workload="shop",status="${status}",stack="dev"}`);
  expect(of(failed, "fail")).toBeGreaterThan(0);
  expect(of(failed, "pass")).toBeGreaterThan(0);

  write("UPDATE orders SET placed = '2024-01-02' WHERE id = 7");
  expect(await at.timelift("load")).toMatchObject({ exitCode: 0 });
  expect(await at.timelift("validate")).toMatchObject({ exitCode: 0, stderr: "" });
  const passed = await metrics();
  expect(of(passed, "fail")).toBe(0);
  expect(passed.get('timelift_validation_compared_rows{workload="shop",stack="dev"}')).toBe(400_001);
});

test("a text file is whole, and is what Prometheus accepts", async () => {
  const file = join(at.project.dir, "timelift.prom");
  expect(await at.timelift("metrics", "--textfile", file)).toMatchObject({ exitCode: 0, stdout: "" });
  execFileSync(...promtool("check", "metrics"), { input: readFileSync(file) });
  const nowhere = await at.timelift("metrics", "--textfile", join(at.project.dir, "none", "timelift.prom"));
  expect(nowhere.exitCode).toBe(1);
  expect(nowhere.stderr).toContain("Name a file in a folder that exists");
});

/** What the exporter gets: metric -> rows, as timelift_monitor. */
async function exported(): Promise<Map<string, Record<string, unknown>[]>> {
  const found = new Map<string, Record<string, unknown>[]>();
  await asMonitor(async (monitor) => {
    for (const { name: entry, sql, columns } of exporterQueries()) {
      const { rows, fields } = await monitor.query(sql);
      expect(Object.keys(columns)).toEqual(fields.map(({ name }) => name));
      const metric = `${entry}_${fields.at(-1)?.name}`;
      expect(found.has(metric), metric).toBe(false);
      found.set(metric, rows);
    }
  });
  expect([...found.keys()].sort()).toEqual(Object.keys(own).sort());
  return found;
}

async function asMonitor(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const { host, port, database } = at.as("timelift_owner");
  const monitor = new pg.Client({
    ...{
      host,
      port,
      database,
      user: loginOf("timelift_monitor", 1),
      password: stackSecrets.timelift_monitor,
    },
  });
  await monitor.connect();
  try {
    await work(monitor);
  } finally {
    await monitor.end();
  }
}

test("the exporter's role gets the same, and sees no rejected value", async () => {
  const found = await exported();
  for (const [name, value] of await metrics()) {
    const [, metric = "", labels = ""] = /^(\w+)\{(.*)\}$/.exec(name) ?? [];
    const wanted = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]),
    );
    const { stack: _, ...rest } = wanted;
    const row = found
      .get(metric)
      ?.find((each) => Object.entries(rest).every(([key, text]) => each[key] === text));
    expect(Number(Object.values(row ?? {}).at(-1)), name).toBeCloseTo(value, 3);
  }
  expect(found.get("timelift_capture_lag_seconds")).toEqual([]);
  await asMonitor(async (monitor) => {
    await expect(monitor.query("SELECT * FROM timelift.reject")).rejects.toThrow("permission denied");
  });
});

test("before there is a ledger, and where a table may not be read, the exporter gets nothing, and no error", async () => {
  await at.owner.query(`CREATE TABLE timelift.sync_status (
    workload text, last_seq bigint, applied_seq bigint, lag_seconds float8, seen_at timestamptz)`);
  await at.empty(["orders", "notes"]);
  expect([...(await exported()).values()].flat()).toEqual([]);
});

test("change capture that nobody runs any more falls behind with the time", async () => {
  await at.owner.query(`GRANT SELECT ON timelift.sync_status TO timelift_monitor;
    INSERT INTO timelift.sync_status VALUES ('ended', 9, 7, 0, now() - interval '1 hour'), ('late', 9, 9, 30, now())`);
  const found = await exported();
  const [ended, late] = found.get("timelift_capture_lag_seconds") ?? [];
  expect(ended?.seconds).toBeGreaterThanOrEqual(3600);
  expect(late?.seconds).toBeGreaterThanOrEqual(30);
  expect(late?.seconds).toBeLessThan(1000);
  expect(found.get("timelift_capture_pending_changes")?.map(({ changes }) => changes)).toEqual([2, 0]);
  await at.owner.query("DROP TABLE timelift.sync_status");
});
