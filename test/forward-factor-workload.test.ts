import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/forward-factor.ts";
import { runLoad } from "../loaders/run-load.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { columnstoreAges, declaredHypertables, realisations } from "../migrations/declared.ts";
import type { HypertableSettings } from "../migrations/hypertable-settings.ts";
import { intervalText } from "../migrations/interval.ts";
import { declaredObject } from "../migrations/objects/realise.ts";
import { findWorkload, type Workload } from "../stacks/workload.ts";
import { EditionTarget, editions, unavailable } from "./edition-target.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-forward-factor-"));
const source = join(folder, "app.db");
beforeAll(() => buildSample(source));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(editions)("forward-factor on the %s edition", (edition) => {
  let target: EditionTarget;
  let workload: Workload;
  beforeEach(async ({ skip }) => {
    const reason = unavailable(edition);
    if (reason) return skip(reason);
    target = await EditionTarget.open(edition, "forward_factor");
  });
  afterEach(() => target?.drop());

  async function deploy(options: Record<string, unknown> = {}): Promise<void> {
    workload = await findWorkload({ name: "forward-factor", path: "", options });
    const { migrationsDir, context } = workload;
    await target.migrate(migrationsDir, "before-load", { context });
    await load();
    await target.migrate(migrationsDir, "after-load", { context });
  }
  const load = () =>
    runLoad({
      ...{ workload: "forward-factor", loader: workload.loader, source, copyPath: join(folder, "copy.db") },
      target: target.connection,
      columnstoreAfter: () => columnstoreAges(workload.migrationsDir, workload.context),
    });
  /** What does not pass. */
  async function open(): Promise<string[]> {
    const { migrationsDir, loader } = workload;
    const context = { ...workload.context, edition };
    const hypertables = await declaredHypertables(migrationsDir, context);
    const { checks } = await runValidation({
      ...{ workload: "forward-factor", loader, source, copyPath: join(folder, "copy.db") },
      ...{ expectedFingerprint: "", target: target.connection },
      hypertables: hypertables.map(({ table, time, chunk }) => ({
        ...{ table, column: time, interval: intervalText(chunk) },
      })),
      declared: (await realisations(migrationsDir, context)).map(declaredObject),
    });
    return checks.filter(({ status }) => status !== "PASS").map(renderCheck);
  }
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
    workload = await findWorkload({ name: "forward-factor", path: "", options: {} });
    await load();
    await target.migrate(workload.migrationsDir, "after-load", { context: workload.context });
    onlyColumnstore(await open());
    expect(await target.column("SELECT count(*)::int FROM signal_user_decisions")).toEqual([800]);
  });

  test("retention, once turned on, takes old signals with their decisions and guards", async () => {
    await deploy();
    const [last] = await target.column<Date>("SELECT max(as_of_ts) FROM signals");
    const days = Math.ceil((Date.now() - (last?.getTime() ?? 0)) / 86_400_000) + 5;
    const hypertables: Record<string, HypertableSettings> = { signals: { retention: `${days} days` } };
    const context = { ...workload.context, hypertables };
    await target.migrate(workload.migrationsDir, "after-load", { context });
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
  });
});
