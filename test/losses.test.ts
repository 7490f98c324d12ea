import { describe, expect, test } from "vitest";
import { withDeclared } from "../migrations/declared.ts";
import type { Edition } from "../migrations/edition.ts";
import { lossesIn, lossText, tableLosses } from "../migrations/losses.ts";
import { listMigrations, phases } from "../migrations/migration-files.ts";
import { renderDown, renderUp } from "../migrations/render.ts";
import { findWorkload } from "../stacks/workload.ts";

const losses = (...sql: string[]) => lossesIn(sql).map(lossText);

describe("what SQL takes away with the rows in it", () => {
  test("is named, as often as it is written", () => {
    expect(losses('DROP TABLE "a b", public.c CASCADE;', "drop table if exists d;")).toEqual([
      "DROP TABLE a b",
      "DROP TABLE c",
      "DROP TABLE d",
    ]);
    expect(losses("TRUNCATE TABLE ONLY a;", "TRUNCATE b, c;", "DELETE FROM other.d WHERE true;")).toEqual([
      "TRUNCATE a",
      "TRUNCATE b",
      "TRUNCATE c",
      "DELETE FROM other.d",
    ]);
    expect(losses('ALTER TABLE "t"', '  DROP "x";', "ALTER TABLE t DROP COLUMN IF EXISTS y;")).toEqual([
      "DROP COLUMN x",
      "DROP COLUMN y",
    ]);
    expect(losses("SELECT drop_chunks('t', INTERVAL '1 day');")).toEqual(["DROP_CHUNKS"]);
    expect(losses("DO $$ BEGIN DROP TABLE hidden; END $$;")).toEqual(["DROP TABLE hidden"]);
  });

  test("is not what is only written about", () => {
    expect(
      losses(
        "-- DROP TABLE a;",
        "SELECT 'DROP TABLE b';",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN DELETE FROM c; END $f$;",
        "CREATE TRIGGER t BEFORE TRUNCATE ON d EXECUTE FUNCTION f();",
        "REVOKE SELECT, TRUNCATE ON e FROM public;",
        'ALTER TABLE "t" DROP CONSTRAINT IF EXISTS "t_pkey";',
        'DROP INDEX "i"; DROP FUNCTION "g"();',
      ),
    ).toEqual([]);
  });

  test.each([
    ["stockula", "apache"],
    ["stockula", "community"],
    ["forward-factor", "apache"],
    ["forward-factor", "community"],
  ] as [string, Edition][])(
    "is nothing on the way up of %s on %s, and its tables on the way down",
    async (name, edition) => {
      const { migrationsDir, context: given } = await findWorkload({ name, path: "", options: {} });
      const context = await withDeclared(migrationsDir, { ...given, edition });
      const files = phases.flatMap((phase) => listMigrations(migrationsDir, phase));
      const up = await Promise.all(files.map((file) => renderUp(file, context)));
      expect(losses(...up.flat())).toEqual([]);
      const down = await Promise.all(files.map((file) => renderDown(file, context)));
      const created = up.flat().filter((line) => /^CREATE TABLE (?!timelift_guard)/.test(line));
      expect(tableLosses(down.flat()).length).toBe(created.length);
      expect(created.length).toBeGreaterThan(3);
    },
  );
});
