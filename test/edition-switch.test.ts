import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { connect } from "../loaders/connection.ts";
import { runLoad } from "../loaders/run-load.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { columnstoreAges, declaredHypertables, realisations } from "../migrations/declared.ts";
import { type Edition, licences } from "../migrations/edition.ts";
import { intervalText } from "../migrations/interval.ts";
import { migrate } from "../migrations/migrate.ts";
import { phases } from "../migrations/migration-files.ts";
import { declaredObject } from "../migrations/objects/realise.ts";
import { findWorkload, type Workload } from "../stacks/workload.ts";
import { type CommunityDatabase, communityDatabase, noCommunity } from "./community.ts";

describe.skipIf(noCommunity)(
  `a server switched from Apache to Community (${noCommunity ?? "by its licence"})`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "timelift-switch-"));
    const source = join(folder, "app.db");
    let database: CommunityDatabase;
    let workload: Workload;

    beforeAll(async () => {
      await buildSample(source);
      database = await communityDatabase("switch", { alone: true });
      workload = await findWorkload({ name: "stockula", path: "", options: {} });
    });
    afterAll(async () => {
      await database?.client.query("ALTER SYSTEM RESET timescaledb.license");
      await database?.client.query("SELECT pg_reload_conf()");
      await database?.drop();
      rmSync(folder, { recursive: true });
    });

    async function switchTo(edition: Edition): Promise<void> {
      await database.client.query(`ALTER SYSTEM SET timescaledb.license = ${licences[edition]}`);
      await database.client.query("SELECT pg_reload_conf()");
      await expect
        .poll(async () => {
          const client = await connect(database.owner, "test");
          const { rows } = await client.query("SELECT current_setting('timescaledb.license') AS licence");
          await client.end();
          return rows[0].licence;
        })
        .toBe(licences[edition]);
    }

    const context = (edition: Edition) => ({ ...workload.context, edition });
    async function migrateAll(edition: Edition, lines: string[] = []) {
      const { migrationsDir: workloadDir } = workload;
      const runs = [];
      for (const phase of phases) {
        const request = { target: database.owner, workloadDir, phase, context: context(edition) };
        runs.push(await migrate(request, (line) => lines.push(line)));
        if (phase === "before-load") await load();
      }
      return {
        realised: Object.assign({}, ...runs.map((run) => run.realised)),
        ups: runs.flatMap((run) => run.up),
        lines,
      };
    }
    const load = () =>
      runLoad({
        ...{ workload: "stockula", loader: workload.loader, source, copyPath: join(folder, "copy.db") },
        target: database.owner,
        columnstoreAfter: () => columnstoreAges(workload.migrationsDir, workload.context),
      });
    async function validate(edition: Edition): Promise<string[]> {
      const { migrationsDir, loader } = workload;
      const hypertables = await declaredHypertables(migrationsDir, context(edition));
      const report = await runValidation({
        ...{
          workload: "stockula",
          loader,
          source,
          copyPath: join(folder, "copy.db"),
          expectedFingerprint: "",
        },
        target: database.owner,
        hypertables: hypertables.map(({ table, time, chunk }) => ({
          table,
          column: time,
          interval: intervalText(chunk),
        })),
        declared: (await realisations(migrationsDir, context(edition))).map(declaredObject),
      });
      return report.checks.filter(({ status }) => status !== "PASS").map(renderCheck);
    }

    test("starts with fallbacks that work", async () => {
      await switchTo("apache");
      const { realised } = await migrateAll("apache");
      expect(realised["continuous aggregate ohlc_daily"]).toContain("materialized view");
      expect(realised["columnstore price_history"]).toContain("skipped");
      const open = await validate("apache");
      expect(open.every((line) => line.startsWith("SKIP columnstore"))).toBe(true);
      expect(open).toHaveLength(2);
    });

    test("refuses migrations of the other edition until it is switched", async () => {
      await expect(migrateAll("community")).rejects.toMatchObject({ code: "edition-mismatch" });
    });

    test("gives up its fallbacks for native objects in one run, with every row", async () => {
      await switchTo("community");
      const { realised, ups, lines } = await migrateAll("community");
      expect(ups).toEqual([]);
      expect(lines).toContain(
        "continuous aggregate ohlc_daily: now continuous aggregate, materialized only, refreshed every hour",
      );
      expect(Object.values(realised).filter((how) => /skipped|Apache/.test(String(how)))).toEqual([]);
      expect(await validate("community")).toEqual([]);
      const client = new pg.Client(database.owner);
      await client.connect();
      const { rows: views } = await client.query(
        "SELECT count(*)::int FROM pg_matviews WHERE schemaname = 'public'",
      );
      const { rows: tasks } = await client.query("SELECT name FROM timelift.task");
      const { rows: jobs } = await client.query(
        "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name IN ('policy_compression', 'policy_columnstore')",
      );
      await client.query(`CALL run_job(${jobs[0].job_id})`);
      const { rows: chunks } = await client.query(
        "SELECT count(*)::int FROM timescaledb_information.chunks WHERE is_compressed",
      );
      await client.end();
      expect([views[0].count, tasks]).toEqual([0, []]);
      expect(chunks[0].count).toBeGreaterThan(200);
      expect(await validate("community")).toEqual([]);
    });

    test("changes nothing in a second run", async () => {
      const { lines } = await migrateAll("community");
      expect(lines.filter((line) => line.includes(": now ") || line.includes(": was "))).toEqual([]);
    });
  },
);
