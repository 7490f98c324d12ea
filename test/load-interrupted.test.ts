import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defineLoader } from "../loaders/define-loader.ts";
import type { LoadResult } from "../loaders/load-result.ts";
import type { LoadCommandRequest } from "../stacks/resources/sqlite-load-provider.ts";
import { LiveWriter } from "./live-writer.ts";
import { LoadFixture } from "./load-fixture.ts";

const rows = 800_000;
const sqlite = `CREATE TABLE ticks (id INTEGER PRIMARY KEY, at TEXT NOT NULL, price REAL, note TEXT);
  WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO ticks SELECT i, '2024-01-02 03:04:05', i / 7.0, 'tick ' || i FROM n`;
const postgres = `CREATE TABLE ticks (id bigint NOT NULL, at timestamptz NOT NULL, price double precision, note text);
  SELECT create_hypertable('ticks', by_range('at', interval '1 month'), create_default_indexes => false)`;
const loader = defineLoader({ tables: { ticks: {} } });

let at: LoadFixture;
let workloadPath: string;
beforeAll(async () => {
  at = await LoadFixture.make("load_interrupted");
  workloadPath = join(at.folder, "ticks");
  mkdirSync(workloadPath);
  writeFileSync(join(workloadPath, "loader.ts"), "export default { tables: { ticks: {} } };");
}, 120_000);
afterAll(() => at?.remove());

const whole = "SELECT count(*), count(DISTINCT id), sum(id) FROM ticks";
const complete = [`${rows} ${rows} ${(rows * (rows + 1)) / 2}`];

/** `timelift load --request` in a process of its own. */
class LoadCommand {
  readonly child: ChildProcess;
  readonly #said: string[] = [];
  readonly #waiting: { text: RegExp; resolve: () => void }[] = [];
  #out = "";

  constructor(request: LoadCommandRequest) {
    this.child = spawn(process.execPath, ["cli/main.ts", "load", "--request"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    this.child.stdout?.on("data", (data) => {
      this.#out += data;
    });
    if (this.child.stderr) {
      createInterface({ input: this.child.stderr }).on("line", (line) => {
        this.#said.push(line);
        for (const { text, resolve } of this.#waiting) if (text.test(line)) resolve();
      });
    }
  }

  /** Resolves when a line of progress says so; fails when the command ends before. */
  async says(text: RegExp): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ text, resolve });
    this.child.once("close", () => reject(new Error(`it ended: ${this.#said.join("\n")}\n${this.#out}`)));
    await promise;
  }

  requireRunning(): void {
    if (this.child.exitCode !== null) throw new Error(`it ended: ${this.#said.join("\n")}\n${this.#out}`);
  }

  async end(): Promise<{
    code: number | null;
    answer: { result?: LoadResult; error?: Record<string, string> };
  }> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    return { code: this.child.exitCode, answer: this.#out === "" ? {} : JSON.parse(this.#out) };
  }
}

const request = (): LoadCommandRequest => ({
  workload: { name: "ticks", path: workloadPath, options: {} },
  source: at.source,
  copyPath: at.copyPath,
  target: at.database.loader,
});

/** Starts a load, and waits until it has committed rows and is in the middle of others. */
async function startAndWaitForParts(): Promise<LoadCommand> {
  const committed = async () => (await at.rows("SELECT count(*) FROM ticks"))[0];
  const before = await committed();
  const command = new LoadCommand(request());
  await command.says(/^ticks: [2-9]\d %/);
  while ((await committed()) === before) command.requireRunning();
  return command;
}

/** The workload keeps its name here, so its ledger goes with its table. */
async function fresh(): Promise<void> {
  await at.fresh(sqlite, postgres);
  await at.asLoader("DROP TABLE IF EXISTS timelift.load_part, timelift.load_run");
}

test("SIGKILL in the middle, and again: nothing doubled, nothing lost", async () => {
  await fresh();
  for (let kill = 0; kill < 2; kill++) {
    const command = await startAndWaitForParts();
    command.child.kill("SIGKILL");
    await command.end();
  }
  const { code, answer } = await new LoadCommand(request()).end();
  expect(code).toBe(0);
  expect(answer.result?.tables.ticks?.inserted).toBeLessThan(rows);
  expect(answer.result?.rows).toBe(rows);
  expect(await at.rows(whole)).toEqual(complete);
}, 120_000);

test("changes of the source between a kill and the next load are found", async () => {
  await fresh();
  const command = await startAndWaitForParts();
  command.child.kill("SIGKILL");
  await command.end();
  at.write(
    `UPDATE ticks SET note = 'changed' WHERE id = 3; DELETE FROM ticks WHERE id = 4; INSERT INTO ticks VALUES (${rows + 1}, '2024-02-01', 1, 'new')`,
  );
  const { answer } = await new LoadCommand(request()).end();
  expect(answer.result?.rows).toBe(rows);
  expect(
    await at.rows("SELECT count(*), count(DISTINCT id), min(note), max(id) FROM ticks WHERE id <> 4"),
  ).toEqual([`${rows} ${rows} changed ${rows + 1}`]);
}, 120_000);

test.each([
  ["Ctrl-C", (child: ChildProcess) => void child.kill("SIGINT")],
  ["the end of stdin, when the caller died", (child: ChildProcess) => void child.stdin?.end()],
])(
  "%s stops cleanly and says how to go on",
  async (_name, stop) => {
    await fresh();
    const command = await startAndWaitForParts();
    stop(command.child);
    const { code, answer } = await command.end();
    expect(code).toBe(1);
    expect(answer.error).toMatchObject({ code: "load-interrupted" });
    expect(answer.error?.remedy).toMatch(/Run it again/);
    expect((await new LoadCommand(request()).end()).answer.result?.rows).toBe(rows);
    expect(await at.rows(whole)).toEqual(complete);
  },
  120_000,
);

test("a connection that breaks is opened again, and the load goes on", async () => {
  await fresh();
  const command = await startAndWaitForParts();
  await at.asLoader(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'timelift load'",
  );
  const { code, answer } = await command.end();
  expect([code, answer.result?.rows]).toEqual([0, rows]);
  expect(await at.rows(whole)).toEqual(complete);
}, 120_000);

test.each(["DELETE", "WAL"])(
  "an application that writes during the load is not disturbed (journal mode %s)",
  async (mode) => {
    await at.fresh(`PRAGMA journal_mode = ${mode}; ${sqlite}`, postgres);
    const writer = await LiveWriter.start(
      at.source,
      "",
      "INSERT INTO ticks (at, price, note) VALUES ('2024-03-01', 1, 'live')",
      { everyMs: 50, waitMs: 1000 },
    );
    const first = await at
      .load(loader)
      .finally(() => writer.stop().then((written) => expect(written.errors).toEqual([])));
    expect(first.rows).toBeGreaterThanOrEqual(rows);
    const second = await at.load(loader);
    expect(second.tables.ticks?.deleted).toBe(0);
    expect(await at.rows("SELECT count(*) = max(id) FROM ticks")).toEqual(["true"]);
    expect(second.tables.ticks?.rows).toBe(Number((await at.rows("SELECT count(*) FROM ticks"))[0]));
  },
  120_000,
);
