import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/forward-factor.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import type { HypertableSettings } from "../migrations/hypertable-settings.ts";
import { findWorkload } from "../stacks/workload.ts";
import { DeployedWorkload } from "./deployed-workload.ts";
import { type EditionTarget, editions, unavailable } from "./edition-target.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-forward-factor-"));
const source = join(folder, "app.db");
beforeAll(() => buildSample(source));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(editions)("forward-factor on the %s edition", (edition) => {
  let at: DeployedWorkload;
  let target: EditionTarget;
  beforeEach(({ skip }) => {
    const reason = unavailable(edition);
    if (reason) skip(reason);
  });
  afterEach(() => at?.remove());

  /** The workload with a source of its own, before its first migration. */
  async function start(options: Record<string, unknown> = {}): Promise<void> {
    at = await DeployedWorkload.make({ name: "forward-factor", path: "", options }, edition);
    target = at.target;
    copyFileSync(source, at.source);
  }
  async function deploy(options?: Record<string, unknown>): Promise<void> {
    await start(options);
    await at.migrate("before-load");
    await at.load();
    await at.migrate("after-load");
  }
  /** What does not pass. */
  const open = async () =>
    (await at.validate()).checks.filter(({ status }) => status !== "PASS").map(renderCheck);
  const onlyColumnstore = (lines: string[]) => {
    for (const line of lines) expect(line).toMatch(/^SKIP columnstore/);
    expect(lines).toHaveLength(edition === "apache" ? 4 : 0);
  };

  test("option B: every row comes along, each decision with the time of its signal", async () => {
    await deploy();
    onlyColumnstore(await open());
    expect(await target.column("SELECT count(*)::int FROM signals")).toEqual([6000]);
    expect(
      await target.column(
        `SELECT count(*)::int FROM signal_user_decisions AS d
         JOIN signals AS s ON s.id = d.signal_id AND s.as_of_ts = d.signal_as_of_ts`,
      ),
    ).toEqual([800]);
    const database = new Database(source, { readonly: true });
    const chats = database
      .prepare(
        `SELECT id AS user_id, telegram_chat_id AS chat_id, coalesce(telegram_username, 'User') AS first_name
         FROM users WHERE telegram_chat_id IS NOT NULL ORDER BY id`,
      )
      .all();
    database.close();
    const { rows } = await target.client.query(
      "SELECT user_id, chat_id, first_name FROM telegram_chats ORDER BY user_id",
    );
    expect(rows).toEqual(chats);
    expect(rows.length).toBeGreaterThan(5);
  });

  test("option A: users and what belongs to them come along, the history starts empty", async () => {
    await deploy({ start: "fresh" });
    onlyColumnstore(await open());
    const [counts] = await target.column<number[]>(
      `SELECT array[(SELECT count(*) FROM users), (SELECT count(*) FROM subscriptions), (SELECT count(*) FROM signals),
         (SELECT count(*) FROM signal_user_decisions)]::int[]`,
    );
    expect(counts).toEqual([12, 37, 0, 0]);
    // Turned round later, the history follows.
    const { loader } = await findWorkload({ name: "forward-factor", path: "", options: {} });
    await at.load({ loader });
    await at.migrate("after-load");
    expect(await target.column("SELECT count(*)::int FROM signal_user_decisions")).toEqual([800]);
  });

  test("retention, once turned on, takes old signals with their decisions and guards", async () => {
    await deploy();
    const [last] = await target.column<Date>("SELECT max(as_of_ts) FROM signals");
    const days = Math.ceil((Date.now() - (last?.getTime() ?? 0)) / 86_400_000) + 5;
    const hypertables: Record<string, HypertableSettings> = { signals: { retention: `${days} days` } };
    await at.migrate("after-load", { context: at.context({ hypertables }) });
    await target.client.query("SELECT timelift.run_task('retain signals', true)");
    expect(await target.column("SELECT error FROM timelift.task WHERE name = 'retain signals'")).toEqual([
      null,
    ]);
    const [[signals = 0, guarded, keys, orphans] = []] = await target.column<number[]>(
      `SELECT array[(SELECT count(*) FROM signals), (SELECT count(*) FROM timelift_guard.signals_id),
         (SELECT count(*) FROM timelift_guard.signals_dedupe_key),
         (SELECT count(*) FROM signal_user_decisions AS d WHERE NOT EXISTS (SELECT FROM signals WHERE id = d.signal_id))]::int[]`,
    );
    expect(signals).toBeGreaterThan(500);
    expect(signals).toBeLessThan(5000);
    expect([guarded, keys, orphans]).toEqual([signals, signals, 0]);

    // On, and turned off again: the aggregates are what they should be.
    for (const context of [at.context({ hypertables }), at.context()]) {
      await at.migrate("after-load", { context });
      const { checks } = await at.validate(context);
      const aggregates = checks.filter(({ name }) => name.startsWith("continuous aggregate"));
      expect(aggregates.map(({ status }) => status)).toEqual(["PASS", "PASS", "PASS", "PASS"]);
    }
  });

  test("a later load changes signals wherever their chunks are, in columns of unique keys too", async () => {
    await deploy();
    if (edition === "community") {
      await target.client.query(
        "SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('signals') AS c",
      );
    }
    const some = "id IN (SELECT signal_id FROM signal_user_decisions ORDER BY id LIMIT 5)";
    at.write(`UPDATE signals SET ff_value = ff_value + 1 WHERE ${some}`);
    expect((await at.load()).tables.signals).toMatchObject({ updated: 5, inserted: 0, deleted: 0 });
    at.write(`UPDATE signals SET dedupe_key = 'changed ' || id WHERE ${some}`);
    expect((await at.load()).tables.signals).toMatchObject({ updated: 5, inserted: 0, deleted: 0 });
    await at.migrate("after-load");
    onlyColumnstore(await open());
  });

  test("a decision on a signal that is gone is a reject with its reason, and comes along once it is mended", async () => {
    await start();
    // As an application's connection is, unless it says otherwise.
    const write = (sql: string) => at.write(`PRAGMA foreign_keys = off; ${sql}`);
    write(`INSERT INTO signal_user_decisions (id, signal_id, user_id, decision, decision_ts)
      SELECT 'lost', 'gone', id, 'placed', '2025-11-20 10:00:00.000000' FROM users LIMIT 1`);
    await at.migrate("before-load");
    await expect(at.load()).rejects.toMatchObject({
      code: "rows-rejected",
      message: expect.stringContaining('"gone", NULL has no row in signals (id, as_of_ts)'),
    });
    expect((await at.load({ maxRejects: 1 })).rejected).toBe(1);
    await at.migrate("after-load");
    const decisions = () => target.column("SELECT count(*)::int FROM signal_user_decisions");
    expect(await decisions()).toEqual([800]);

    write("UPDATE signal_user_decisions SET signal_id = (SELECT id FROM signals LIMIT 1) WHERE id = 'lost'");
    expect((await at.load()).rejected).toBe(0);
    expect(await decisions()).toEqual([801]);
    expect(
      await target.column(
        "SELECT d.signal_as_of_ts = s.as_of_ts FROM signal_user_decisions d JOIN signals s ON s.id = d.signal_id WHERE d.id = 'lost'",
      ),
    ).toEqual([true]);
  });
});
