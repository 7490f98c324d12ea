import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findSample } from "../cli/sample/samples.ts";
import { loadedEntries } from "../loaders/define-loader.ts";
import { runLoad } from "../loaders/run-load.ts";
import { columnstoreAges } from "../migrations/declared.ts";
import { listMigrations, type Phase, phases } from "../migrations/migration-files.ts";
import { diffSchemas, renderDifferences } from "../migrations/schema-diff.ts";
import { dumpSchema } from "../migrations/schema-dump.ts";
import { findWorkload, type Workload } from "../stacks/workload.ts";
import { EditionTarget, editions, unavailable } from "./edition-target.ts";

const project = join(import.meta.dirname, "..");
const workloads = readdirSync(join(project, "migrations")).filter((name) =>
  existsSync(join(project, "migrations", name, "before-load")),
);

const folder = mkdtempSync(join(tmpdir(), "timelift-every-"));
beforeAll(async () => {
  for (const name of workloads) await (await findSample(name))(join(folder, `${name}.db`));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(editions)("on the %s edition", (edition) => {
  describe.each(workloads)("every migration of %s", (name) => {
    let target: EditionTarget;
    let workload: Workload;
    beforeEach(async ({ skip }) => {
      const reason = unavailable(edition);
      if (reason) return skip(reason);
      workload = await findWorkload({ name, path: "", options: {} });
      target = await EditionTarget.open(edition, `every_${name.replaceAll("-", "_")}`);
    });
    afterEach(() => target?.drop());

    const names = (phase: Phase) => listMigrations(workload.migrationsDir, phase).map((file) => file.name);
    const to = (phase: Phase, last: string | null, dropRows = false) =>
      target.migrate(workload.migrationsDir, phase, { to: last, dropRows, context: workload.context });
    const schema = () => dumpSchema(target.client);
    const load = () =>
      runLoad({
        ...{ workload: name, loader: workload.loader, source: join(folder, `${name}.db`) },
        ...{ copyPath: join(folder, `${name}.copy.db`), target: target.connection },
        columnstoreAfter: () => columnstoreAges(workload.migrationsDir, workload.context),
      });
    /** Every row of every table that is loaded, as digests. */
    async function rows(): Promise<Record<string, string>> {
      const digests: Record<string, string> = {};
      for (const [table] of loadedEntries(workload.loader)) {
        const [digest = ""] = await target.column<string>(
          `SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ';' ORDER BY t::text)), '') FROM "${table}" AS t`,
        );
        digests[table] = digest;
      }
      return digests;
    }

    /** Up, down and up again, step by step: the schema comes and goes with each. */
    async function walk(phase: Phase, rowsToo: boolean, dropRows = false): Promise<void> {
      const before = rowsToo ? await rows() : {};
      let previous: string | null = null;
      for (const migration of names(phase)) {
        const without = await schema();
        await to(phase, migration);
        const withIt = await schema();
        await to(phase, previous, dropRows);
        expect(renderDifferences(diffSchemas(without, await schema())), `${migration} down`).toEqual([]);
        if (rowsToo) expect(await rows(), `${migration} down`).toEqual(before);
        await to(phase, migration);
        expect(renderDifferences(diffSchemas(withIt, await schema())), `${migration} up again`).toEqual([]);
        if (rowsToo) expect(await rows(), `${migration} up again`).toEqual(before);
        previous = migration;
      }
    }

    test("goes up, down and up again on an empty database", async () => {
      const empty = await schema();
      for (const phase of phases) await walk(phase, false);
      await to("before-load", null);
      expect(renderDifferences(diffSchemas(empty, await schema()))).toEqual([]);
    });

    test("goes up, down and up again over rows, and loses none", async () => {
      await to("before-load", names("before-load").at(-1) ?? null);
      await load();
      await walk("after-load", true);
      const loaded = await rows();
      // Everything but the tables themselves goes down with the rows in it: compressed ones are rows again.
      const tables =
        names("before-load")
          .filter((each) => /tables/.test(each))
          .at(-1) ?? null;
      await to("before-load", tables);
      expect(await rows()).toEqual(loaded);
      await expect(to("before-load", null)).rejects.toMatchObject({ code: "migration-rows" });
      expect(await rows()).toEqual(loaded);
      for (const phase of phases) await to(phase, names(phase).at(-1) ?? null);
      expect(await rows()).toEqual(loaded);
    });
  });
});
