import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareApplication } from "../cli/bench/application.ts";
import { barChart } from "../cli/bench/bar-chart.ts";
import type { BenchResult, Measured } from "../cli/bench/bench-result.ts";
import { type BenchDatabase, BenchServer } from "../cli/bench/bench-server.ts";
import { benchSource, benchSourcePath, growSource, shapeOf } from "../cli/bench/bench-source.ts";
import { charts } from "../cli/bench/charts.ts";
import { measureColumnstore } from "../cli/bench/columnstore.ts";
import type { Arena, Contender } from "../cli/bench/contender.ts";
import { floor } from "../cli/bench/floor-contender.ts";
import { loadGrown, loadUnchanged, validate } from "../cli/bench/follow-ups.ts";
import { measureProcess } from "../cli/bench/measured-process.ts";
import { medianRun } from "../cli/bench/median.ts";
import { pgloader } from "../cli/bench/pgloader-contender.ts";
import { pipe } from "../cli/bench/pipe-contender.ts";
import { ratiosOf } from "../cli/bench/ratios.ts";
import { renderLines } from "../cli/bench/render-lines.ts";
import { renderMarkdown } from "../cli/bench/render-markdown.ts";
import { timelift } from "../cli/bench/timelift-contender.ts";
import { cacheFolder } from "../stacks/platforms/native/sysroot.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-bench-test-"));
const signal = new AbortController().signal;
const rows = 20_000;

afterAll(() => rmSync(folder, { recursive: true }));

describe("the generated source", () => {
  const path = join(folder, "one.db");
  beforeAll(() => void benchSource(rows, 1, path));

  const read = <T>(sql: string): T[] => {
    const source = new Database(path, { readonly: true });
    try {
      return source.prepare(sql).pluck().all() as T[];
    } finally {
      source.close();
    }
  };

  test("is the same bytes for the same rows and seed, and other prices for another seed", () => {
    const same = benchSource(rows, 1, join(folder, "same.db"));
    const other = benchSource(rows, 2, join(folder, "other.db"));
    expect(readFileSync(same.path).equals(readFileSync(path))).toBe(true);
    expect(readFileSync(other.path).equals(readFileSync(path))).toBe(false);
  });

  test("is whole, at rest and under the rollback journal", () => {
    expect(read("PRAGMA integrity_check")).toEqual(["ok"]);
    expect(read("PRAGMA foreign_key_check")).toEqual([]);
    expect([...readFileSync(path).subarray(18, 20)]).toEqual([1, 1]);
    expect(readdirSync(folder).filter((name) => name.startsWith("one.db"))).toEqual(["one.db"]);
  });

  test("has the rows that were asked for, as symbols of weekdays in the application's order", () => {
    expect(shapeOf(2_500_000)).toEqual({ symbols: 500, days: 5000 });
    expect(shapeOf(25_000_000)).toEqual({ symbols: 5000, days: 5000 });
    expect(read("SELECT count(*) FROM price_history")).toEqual([rows]);
    expect(read("SELECT count(*) FROM stocks")).toEqual([shapeOf(rows).symbols]);
    expect(read("SELECT DISTINCT strftime('%w', date) FROM price_history ORDER BY 1")).toEqual([
      ...["1", "2", "3", "4", "5"],
    ]);
    expect(
      read(`SELECT count(*) FROM price_history AS a JOIN price_history AS b ON b.id = a.id + 1
        WHERE (a.symbol, a.date) >= (b.symbol, b.date)`),
    ).toEqual([0]);
  });

  test("has prices as the application stores them: cents in 32 bits, widened to 64", () => {
    const prices = ["open", "high", "low", "close"].flatMap((name) =>
      read<number>(`SELECT ${name}_price FROM price_history`),
    );
    expect(prices.filter((price) => Math.fround(price) !== price || price <= 0)).toEqual([]);
    expect(prices.filter((price) => Math.fround(Math.round(price * 100) / 100) !== price)).toEqual([]);
    const long = prices.filter((price) => String(price).length > 9);
    expect(long.length).toBeGreaterThan(prices.length / 2);
    const [outside] = read(`SELECT count(*) FROM price_history
      WHERE low_price > min(open_price, close_price) OR high_price < max(open_price, close_price)`);
    expect(outside).toBe(0);
  });

  test("grows by days after its last, as many rows as asked for", () => {
    const grown = join(folder, "grown-by-hand.db");
    benchSource(rows, 1, grown);
    expect(growSource(grown, 1234, 1)).toBe(rows + 1234);
    const source = new Database(grown, { readonly: true });
    const [first, last, added] = source
      .prepare("SELECT min(date), max(date), count(*) FROM price_history WHERE id > ?")
      .raw()
      .get(rows) as [string, string, number];
    expect([first, added]).toEqual(["2025-01-02", 1234]);
    expect(last).toBe("2025-01-06");
    expect(source.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
    source.close();
  });
});

describe("on a server of its own", () => {
  let server: BenchServer;
  let arena: Arena;
  const state = join(folder, "server");

  beforeAll(async () => {
    server = await BenchServer.start(state, () => {});
    arena = { server, source: benchSource(rows, 1, join(folder, "one.db")), folder, signal };
  });
  afterAll(() => BenchServer.remove(state));

  const run = async (contender: Contender): Promise<BenchDatabase> => {
    const database = await server.freshDatabase(`bench_${contender.name}`);
    await contender.prepare(arena, database);
    const { wallMs, memoryMb } = await contender.run(arena, database);
    expect(wallMs).toBeGreaterThan(0);
    if (memoryMb !== null) expect(memoryMb).toBeGreaterThan(1);
    return database;
  };
  const ask = async (database: string, sql: string): Promise<unknown[]> =>
    server.asSuperuser(database, async (client) => {
      const answer = await client.query({ text: sql, rowMode: "array" });
      return answer.rows[0] as unknown[];
    });
  const content = (database: BenchDatabase) =>
    ask(
      database.name,
      `SELECT count(*)::int, md5(string_agg(md5(price_history::text), '' ORDER BY symbol, "time", "interval"))
       FROM price_history`,
    );
  const key = (database: BenchDatabase) =>
    ask(
      database.name,
      "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'price_history'::regclass AND contype = 'p'",
    );

  test("durability is on, and a server without it is refused", async () => {
    const settings = await server.settings();
    expect(settings).toMatchObject({ fsync: "on", full_page_writes: "on", synchronous_commit: "on" });
    await server.asSuperuser("postgres", (client) => client.query("ALTER SYSTEM SET full_page_writes = off"));
    await server.asSuperuser("postgres", (client) => client.query("SELECT pg_reload_conf()"));
    await expect.poll(() => server.settings().catch((error) => error.code)).toBe("bench-not-durable");
    await server.asSuperuser("postgres", (client) => client.query("ALTER SYSTEM RESET full_page_writes"));
    await server.asSuperuser("postgres", (client) => client.query("SELECT pg_reload_conf()"));
    await expect.poll(async () => (await server.settings()).full_page_writes).toBe("on");
  });

  test("timelift, the floor and the pipe leave the same rows, chunks and key", async (context) => {
    const own = await run(timelift);
    const expected = await content(own);
    expect(expected[0]).toBe(rows);
    const shortest = await run(floor);
    expect(await content(shortest)).toEqual(expected);
    expect(await key(own)).toEqual(['PRIMARY KEY (symbol, "time", "interval")']);
    expect(await key(shortest)).toEqual(await key(own));
    const chunks = "SELECT count(*)::int FROM timescaledb_information.chunks";
    expect(await ask(shortest.name, chunks)).toEqual(await ask(own.name, chunks));
    if ("missing" in (await pipe.version())) return context.skip("sqlite3 or psql is not installed");
    const piped = await run(pipe);
    expect(await content(piped)).toEqual(expected);
    expect(await key(piped)).toEqual(await key(own));
  });

  test("after a load: every row validated, nothing to do twice, one per cent more", async () => {
    const database = await run(timelift);
    await validate(arena, database);
    await loadUnchanged(arena, database);
    await loadGrown(arena, database);
    expect((await content(database))[0]).toBe(rows + rows / 100);
  });

  test("a validation that finds a difference ends the bench", async () => {
    const database = await run(timelift);
    await ask(
      database.name,
      `UPDATE price_history SET close = close + 1 WHERE symbol = 'AAAA' AND "time" = '2024-12-31'`,
    );
    await expect(validate(arena, database)).rejects.toMatchObject({ code: "bench-validation" });
  });

  test("both engines answer the application's queries alike, and take its inserts", async () => {
    const database = await run(timelift);
    const { queries, inserts, sizePerMillion } = await compareApplication(arena, database, 50);
    expect(queries.map((query) => query.rows)).toEqual([shapeOf(rows).days, 1000, 500]);
    expect(inserts).toHaveLength(2);
    expect((await content(database))[0]).toBe(rows + 2 * 50);
    const grown = new Database(join(folder, "grown.db"), { readonly: true });
    expect(grown.prepare("SELECT count(*) FROM price_history WHERE date > '2030-01-01'").pluck().get()).toBe(
      4 * 50,
    );
    grown.close();
    expect(sizePerMillion.sqlite).toBeGreaterThan(50);
    expect(sizePerMillion.rowstore).toBeGreaterThan(50);
  });

  test("a server without the Community edition is left out of the columnstore's figures, and kept clean", async (context) => {
    const [license] = await ask("bench", "SELECT current_setting('timescaledb.license', true)");
    if (license !== "apache") return context.skip("this server has the Community edition");
    const password = randomBytes(12).toString("hex");
    const url = `postgresql://bench_admin:${password}@${server.address}/postgres`;
    await server.asSuperuser("postgres", (client) =>
      client.query(`CREATE ROLE bench_admin SUPERUSER LOGIN PASSWORD '${password}'`),
    );
    const args = { source: arena.source, folder, rounds: 1, signal, log: () => {} };
    expect(await measureColumnstore({ ...args, url })).toEqual({
      skipped: expect.stringContaining("another edition"),
    });
    const [left] = await ask(
      "postgres",
      "SELECT count(*)::int FROM pg_database WHERE datname LIKE 'timelift_bench%'",
    );
    expect(left).toBe(0);
    await expect(measureColumnstore({ ...args, url: "somewhere" })).rejects.toMatchObject({
      code: "bench-community-url",
    });
  });

  test("pgloader brings every row, where it is installed", async (context) => {
    if ("missing" in (await pgloader.version())) return context.skip("pgloader is not installed");
    const database = await run(pgloader);
    expect(await ask(database.name, "SELECT count(*)::int FROM price_history")).toEqual([rows]);
  });
});

describe("a measured process", () => {
  test("counts time and memory of what it starts, too", async () => {
    const work =
      "const kept = Buffer.alloc(80e6, 1); const end = Date.now() + 400; while (Date.now() < end) kept[0]++;";
    const run = await measureProcess({
      name: "work",
      command: ["/bin/sh", "-c", '"$0" -e "$1" & wait', process.execPath, work],
      signal,
    });
    expect(run.memoryMb).toBeGreaterThan(80e6 / 2 ** 20);
    expect(run.cpuMs).toBeGreaterThanOrEqual(100);
    expect(run.wallMs).toBeGreaterThanOrEqual(400);
  });

  test("that fails is an error with its last words", async () => {
    const failing = measureProcess({
      name: "work",
      command: ["/bin/sh", "-c", "echo why >&2; exit 3"],
      signal,
    });
    await expect(failing).rejects.toThrow(/ended with 3:\nwhy/);
  });

  test("is ended with all that it started", async () => {
    const abort = new AbortController();
    const file = join(folder, "child.pid");
    const running = measureProcess({
      name: "work",
      command: ["/bin/sh", "-c", 'sleep 600 & echo $! > "$0"; wait', file],
      signal: abort.signal,
    });
    const pid = await expect
      .poll(() => (existsSync(file) ? readFileSync(file, "utf8").trim() : ""))
      .toMatch(/^\d+$/)
      .then(() => readFileSync(file, "utf8").trim());
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});

describe("the command", () => {
  const runFolders = () =>
    readdirSync(join(cacheFolder(), "bench")).filter((name) => name.startsWith("run-"));
  const cli = ["cli/main.ts", "bench", "--rows", "3000", "--runs", "1", "--seed", "4242"];
  afterAll(() => rmSync(benchSourcePath(3000, 4242), { force: true }));

  test("writes JSON with flat ratios, plots and a page, and leaves nothing running", async () => {
    const [json, svg, page] = ["bench.json", "plots", "bench.md"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const before = runFolders();
    const only = ["--only", "floor,validation,unchanged,incremental,columnstore"];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...cli, ...only, "--json", json, "--svg", svg, "--markdown", page],
      { env: { ...process.env, TIMELIFT_COMMUNITY_URL: "" } },
    );
    expect(runFolders()).toEqual(before);
    const result = JSON.parse(readFileSync(json, "utf8")) as BenchResult;
    const { floor: overFloor, validation, unchanged, incremental, memoryMb, ...absent } = result.ratios;
    for (const ratio of [overFloor, validation, unchanged, incremental, memoryMb]) {
      expect(ratio).toBeGreaterThan(0);
    }
    expect(absent).toEqual({
      pgloader: null,
      sling: null,
      pipe: null,
      columnstoreTime: null,
      columnstoreSize: null,
    });
    expect(result.columnstore).toEqual({ skipped: expect.stringContaining("TIMELIFT_COMMUNITY_URL") });
    expect(stdout).toContain("fsync on, full_page_writes on");
    expect(stdout).toMatch(/pgloader ÷ timelift +– +≥ 4.5 +not measured/);
    expect(readdirSync(svg).sort()).toEqual(["bench-memory.svg", "bench-time.svg"]);
    expect(readFileSync(page, "utf8")).toContain("](plots/bench-time.svg)");
    const again = await promisify(execFile)(process.execPath, ["cli/main.ts", "bench", "--from", json]);
    expect(again.stdout).toBe(stdout);
  });

  test("Ctrl-C takes away what it has started", async () => {
    const child = spawn(process.execPath, cli, { stdio: ["ignore", "ignore", "pipe"] });
    const run = join(cacheFolder(), "bench", `run-${child.pid}`);
    let words = "";
    let server = "";
    const closed = new Promise((resolve) => child.once("close", resolve));
    for await (const line of createInterface({ input: child.stderr })) {
      words += `${line}\n`;
      if (!/round 1 of 1: timelift/.test(line)) continue;
      server = readFileSync(join(run, "server/services/timescaledb/service.pid"), "utf8").split(" ")[0] ?? "";
      expect(isRunning(server)).toBe(true);
      child.kill("SIGINT");
    }
    expect(await closed).toBe(1);
    expect(words).toContain("it was stopped (SIGINT)");
    expect(existsSync(run)).toBe(false);
    expect(isRunning(server)).toBe(false);
  });

  test("an unknown name and a broken file are refused in words", async () => {
    const refusal = (args: string[]) =>
      promisify(execFile)(process.execPath, ["cli/main.ts", "bench", ...args]).catch((error) => error.stderr);
    expect(await refusal(["--only", "timelift,oracle"])).toMatch(/"oracle" is none of timelift, floor/);
    expect(await refusal(["--rows", "many"])).toMatch(/whole number above zero/);
    const broken = join(folder, "broken.json");
    writeFileSync(broken, "{");
    expect(await refusal(["--from", broken])).toContain(`${broken}: it cannot be read`);
    writeFileSync(broken, "{}");
    expect(await refusal(["--from", broken])).toContain("no figures of a bench");
  });
});

describe("what is told of a result", () => {
  test("medians are taken figure by figure, ratios of medians", () => {
    const median = medianRun([
      { wallMs: 30, cpuMs: 1, serverCpuMs: 5, memoryMb: 100, steps: { load: 20, key: 10 } },
      { wallMs: 10, cpuMs: 3, serverCpuMs: null, memoryMb: 300, steps: { load: 9, key: 1 } },
      { wallMs: 20, cpuMs: 2, serverCpuMs: 6, memoryMb: 200, steps: { load: 12, key: 8 } },
    ]);
    expect(median).toEqual({
      wallMs: 20,
      cpuMs: 2,
      serverCpuMs: null,
      memoryMb: 200,
      steps: { load: 12, key: 8 },
    });
    expect(
      medianRun([
        { ...median, wallMs: 10 },
        { ...median, wallMs: 20 },
      ]).wallMs,
    ).toBe(15);
    expect(fixture().ratios).toEqual({
      floor: 1.1,
      pgloader: 5,
      sling: null,
      pipe: 3.5,
      validation: 0.4,
      unchanged: 2,
      incremental: 0.05,
      columnstoreTime: 0.9,
      columnstoreSize: 0.125,
      memoryMb: 210,
    });
  });

  test("each figure stands beside its goal", () => {
    const lines = renderLines(fixture());
    expect(lines.find((line) => line.includes("÷ floor"))).toMatch(/1\.10 +≤ 1\.05 +missed$/);
    expect(lines.find((line) => line.includes("pgloader ÷"))).toMatch(/5\.00 +≥ 4\.5 +reached$/);
    expect(lines.find((line) => line.includes("sqlite3 pipe"))).toMatch(/3\.50 +≥ 4 +missed$/);
    expect(lines.find((line) => line.includes("peak memory, all"))).toMatch(/210 MiB +≤ 200 MiB +missed$/);
    expect(lines.find((line) => line.includes("after 1 %"))).toMatch(/0\.0500 +≤ 0\.05 +reached$/);
    expect(lines.find((line) => line.startsWith("  sling:"))).toBe("  sling: sling is not installed.");
  });

  test("the page has machine, versions, every table, plots, other sizes and how to repeat it", () => {
    const small = { ...fixture(), rows: 250_000 };
    const page = renderMarkdown(fixture(), [small], [{ title: "Time", path: "images/bench-time.svg" }]);
    expect(page).toContain("Some CPU, 2 cores, 8 GiB");
    expect(page).toContain("PostgreSQL 17.1");
    expect(page).toContain("![Time](images/bench-time.svg)");
    expect(page).toContain("| pgloader ÷ timelift | 5.00 | ≥ 4.5 | reached |");
    expect(page).toContain("| 250,000 | 9.00 s | 2.00 s |");
    expect(page).toContain("--rows 2500000 --runs 3");
    for (const table of page.split("\n\n").filter((block) => block.startsWith("|"))) {
      expect(new Set(table.split("\n").map((line) => line.split(/(?<!\\)\|/).length)).size).toBe(1);
    }
  });

  test("bars are as long as their values, and nothing breaks out of the SVG", () => {
    const svg = barChart("A & B", "<under>", [
      {
        bars: [
          { label: 'one "two"', value: 50, text: "50", tone: "own" },
          { label: "half", value: 25, text: "25", tone: "other" },
        ],
      },
    ]);
    const widths = [...svg.matchAll(/<rect class="(?:own|other)"[^>]* width="([\d.]+)"/g)].map(([, each]) =>
      Number(each),
    );
    expect(widths).toHaveLength(2);
    expect(widths[0]).toBeCloseTo(2 * (widths[1] as number), 0);
    expect(svg).toContain("A &amp; B");
    expect(svg).toContain("&lt;under&gt;");
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(charts(fixture()).map(({ file }) => file)).toEqual([
      ...["bench-time.svg", "bench-memory.svg", "bench-queries.svg"],
    ]);
  });
});

function isRunning(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, "utf8"));
}

/** A result in which some goals are reached, some missed, and one thing was not measured. */
function fixture(): BenchResult {
  const measured = (
    title: string,
    wallMs: number,
    memoryMb: number | null,
    steps?: Record<string, number>,
  ): Measured => {
    const run = { wallMs, cpuMs: wallMs / 2, serverCpuMs: 100, memoryMb, ...(steps && { steps }) };
    return { title, median: run, runs: [run] };
  };
  const result: Omit<BenchResult, "ratios"> = {
    rows: 2_500_000,
    seed: 1,
    rounds: 3,
    sourceBytes: 400e6,
    measuredAt: "2026-01-02T03:04:05.000Z",
    machine: {
      ...{ cpu: "Some CPU", cores: 2, memoryGib: 8, system: "Some Linux", fileSystem: "ext4" },
      versions: { PostgreSQL: "17.1" },
    },
    settings: {
      ...{ fsync: "on", full_page_writes: "on", synchronous_commit: "on", max_wal_size: "4GB" },
      ...{ shared_buffers: "512MB", maintenance_work_mem: "256MB", work_mem: "2MB" },
    },
    contenders: {
      timelift: measured("timelift", 11_000, 180, { load: 9000, key: 2000 }),
      floor: measured("floor (server-side COPY)", 10_000, null),
      pgloader: measured("pgloader", 55_000, 500),
      sling: { skipped: "sling is not installed" },
      pipe: measured("sqlite3 -csv | psql \\copy", 38_500, 20),
    },
    validation: measured("timelift validate", 3600, 210),
    unchanged: measured("unchanged", 400, 100),
    emptyRun: measured("empty run", 200, 90),
    incremental: measured("incremental", 450, 100),
    application: {
      queries: [{ title: "a question", rows: 3, sqliteMs: 500, timescaleMs: 5 }],
      inserts: [{ title: "some rows", sqliteRollbackMs: 3, sqliteWalMs: 2, timescaleMs: 1 }],
      insertedRows: 10,
      sizePerMillion: { sqlite: 160, rowstore: 150 },
    },
    columnstore: {
      version: "2.29.0",
      rowstore: measured("rows", 10_000, 150),
      columnstore: measured("columns", 9000, 160),
      rowstoreBytes: 360e6,
      columnstoreBytes: 50e6,
    },
  };
  return { ...result, ratios: ratiosOf(result) };
}
