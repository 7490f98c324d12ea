import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Connection, connect } from "../loaders/connection.ts";
import { type MigrateRequest, migrate } from "../migrations/migrate.ts";
import { listMigrations, type Phase, phases } from "../migrations/migration-files.ts";
import { renderUp } from "../migrations/render.ts";
import { databaseFromTemplate } from "./postgres.ts";

const vocabulary = join(import.meta.dirname, "..", "migrations");
let dir: string;
let database: Awaited<ReturnType<typeof databaseFromTemplate>>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "timelift-migrate-"));
  symlinkSync(vocabulary, join(dir, "timelift"));
  for (const phase of phases) mkdirSync(join(dir, phase));
  database = await databaseFromTemplate("migrate");
});

afterEach(async () => {
  await database.drop();
  rmSync(dir, { recursive: true });
});

function write(phase: Phase, name: string, body: string): void {
  writeFileSync(
    join(dir, phase, `${name}.ts`),
    `import { timescale } from ${JSON.stringify(join(vocabulary, "timescale.ts"))};
import { days } from ${JSON.stringify(join(vocabulary, "interval.ts"))};
export const up = timescale((db, options) => { ${body} });
export const down = up.reverse;
`,
  );
}

const readings = `db.table("readings", { time: "timestamptz not null", device: "text not null", value: "double precision" });`;

const run = (phase: Phase, more: Partial<MigrateRequest> = {}) =>
  migrate(
    { target: database.owner, workloadDir: dir, phase, context: { options: {} }, ...more },
    () => undefined,
  );

async function query<Row>(sql: string, as: Connection = database.owner): Promise<Row[]> {
  const client = await connect(as, "test");
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const hypertables = () =>
  query<{ hypertable_name: string }>("SELECT hypertable_name FROM timescaledb_information.hypertables");

describe("migrations", () => {
  test("run once, in order, each phase with a history of its own", async () => {
    write("before-load", "0001_readings", readings);
    write("before-load", "0002_hyper", `db.hypertable("readings", { time: "time", chunk: days(7) });`);
    write("after-load", "0001_keys", `db.keys("readings", { primary: ["device", "time"] });`);
    expect((await run("before-load")).up).toEqual(["0001_readings", "0002_hyper"]);
    expect((await run("after-load")).up).toEqual(["0001_keys"]);
    expect((await run("before-load")).up).toEqual([]);
    expect(await hypertables()).toEqual([{ hypertable_name: "readings" }]);
    const history = await query<{ phase: string; name: string }>(
      "SELECT phase, name FROM timelift.migration_checksum ORDER BY phase, name",
    );
    expect(history.map(({ phase, name }) => `${phase}/${name}`)).toEqual([
      "after-load/0001_keys",
      "before-load/0001_readings",
      "before-load/0002_hyper",
    ]);
  });

  test("show the SQL that runs, without a server", async () => {
    write("before-load", "0001_readings", readings);
    const [file] = listMigrations(dir, "before-load");
    const sql = await renderUp(file as NonNullable<typeof file>, { options: {} });
    expect(sql[0]).toBe('CREATE TABLE "readings" (');
    expect(sql).toContain('  "time" timestamptz not null,');
  });

  test("refuse a file that was edited after it was applied, by name", async () => {
    write("before-load", "0001_readings", readings);
    await run("before-load");
    write("before-load", "0001_readings", `${readings} db.index("readings", ["device"]);`);
    await expect(run("before-load")).rejects.toMatchObject({
      code: "migration-edited",
      subject: "migrations before-load/0001_readings",
    });
  });

  test("refuse a gap in the order and a file that is gone, by name", async () => {
    write("before-load", "0002_readings", readings);
    await run("before-load");
    write("before-load", "0001_late", `db.index("readings", ["device"]);`);
    await expect(run("before-load")).rejects.toMatchObject({
      code: "migration-gap",
      subject: "migrations before-load/0001_late",
    });
    rmSync(join(dir, "before-load", "0001_late.ts"));
    rmSync(join(dir, "before-load", "0002_readings.ts"));
    await expect(run("before-load")).rejects.toMatchObject({ code: "migration-missing" });
  });

  test("refuse workload options that would have built something else", async () => {
    write("before-load", "0001_readings", `db.table("readings", { value: String(options.type ?? "text") });`);
    await run("before-load");
    await expect(run("before-load", { context: { options: { unrelated: 1 } } })).resolves.toMatchObject({
      up: [],
    });
    await expect(run("before-load", { context: { options: { type: "numeric" } } })).rejects.toMatchObject({
      code: "migration-options",
    });
  });

  test("refuse a name that gives no order", async () => {
    write("before-load", "readings", readings);
    await expect(run("before-load")).rejects.toMatchObject({ code: "migration-name" });
  });

  test("leave nothing of a migration that fails, and say which", async () => {
    write("before-load", "0001_readings", readings);
    write("before-load", "0002_broken", `db.index("readings", ["device"]); db.index("nowhere", ["device"]);`);
    await expect(run("before-load")).rejects.toMatchObject({
      code: "migration-failed",
      subject: "migrations before-load/0002_broken (up)",
      message: expect.stringContaining("42P01"),
    });
    expect(await query("SELECT indexname FROM pg_indexes WHERE tablename = 'readings'")).toEqual([]);
    write("before-load", "0002_broken", `db.index("readings", ["device"]);`);
    expect((await run("before-load")).up).toEqual(["0002_broken"]);
  });

  test("say so when the server goes away in the middle, and go on there", async () => {
    write("before-load", "0001_readings", readings);
    const cut = join(dir, "before-load", "0002_cut.ts");
    writeFileSync(
      cut,
      `export const up = (pgm) => pgm.sql("CREATE INDEX ON readings (device); SELECT pg_terminate_backend(pg_backend_pid())");
       export const down = (pgm) => pgm.sql("SELECT 1");`,
    );
    await expect(run("before-load")).rejects.toMatchObject({
      code: "migration-connection-lost",
      subject: "migrations before-load/0002_cut (up)",
    });
    expect(await query("SELECT indexname FROM pg_indexes WHERE tablename = 'readings'")).toEqual([]);
    write("before-load", "0002_cut", `db.index("readings", ["device"]);`);
    expect((await run("before-load")).up).toEqual(["0002_cut"]);
  });

  test("refuse a database that holds a table of that name already, and leave it alone", async () => {
    write("before-load", "0001_readings", readings);
    await query("CREATE TABLE readings (mine text); INSERT INTO readings VALUES ('kept')");
    await expect(run("before-load")).rejects.toMatchObject({
      code: "target-occupied",
      message: expect.stringContaining('relation "readings" already exists'),
    });
    expect(await query("SELECT * FROM readings")).toEqual([{ mine: "kept" }]);
  });

  test("say what is wrong with the way to the database", async () => {
    const at = (more: Partial<Connection>) => run("before-load", { target: { ...database.owner, ...more } });
    await expect(at({ password: "wrong" })).rejects.toMatchObject({ code: "database-password" });
    await expect(at({ port: 1 })).rejects.toMatchObject({ code: "database-unreachable" });
    await expect(at({ user: "postgres" })).rejects.toMatchObject({
      code: expect.stringMatching(/^database-/),
    });
  });

  test("wait for a second migrator, which then finds nothing to do", async () => {
    write("before-load", "0001_readings", readings);
    const both = await Promise.all([run("before-load"), run("before-load")]);
    expect(both.flatMap(({ up }) => up)).toEqual(["0001_readings"]);
  });

  test("go down to a name, the second phase before the first", async () => {
    write("before-load", "0001_readings", readings);
    write("before-load", "0002_more", `db.table("more", { id: "int" });`);
    write("after-load", "0001_keys", `db.keys("readings", { primary: ["device", "time"] });`);
    await run("before-load");
    await run("after-load");
    const { down } = await run("before-load", { to: "0001_readings" });
    expect(down).toEqual(["0001_keys", "0002_more"]);
    expect(
      await query(
        "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = 'readings'::regclass",
      ),
    ).toEqual([]);
  });

  test("drop a table with rows only when told to", async () => {
    write("before-load", "0001_readings", readings);
    await run("before-load");
    await query("INSERT INTO readings VALUES (now(), 'a', 1)");
    await expect(run("before-load", { to: null })).rejects.toMatchObject({
      code: "migration-rows",
      message: expect.stringContaining("table readings holds rows"),
    });
    expect(await query("SELECT device FROM readings")).toEqual([{ device: "a" }]);
    await run("before-load", { to: null, dropRows: true });
    expect(await query("SELECT to_regclass('readings') AS gone")).toEqual([{ gone: null }]);
  });
});

describe("hypertable()", () => {
  const rows = `SELECT time::text, device, value FROM readings ORDER BY time`;
  const fill = `INSERT INTO readings (time, device, value)
    SELECT timestamptz '2024-01-01' + n * interval '1 day', 'd' || n, n / 7.0 FROM generate_series(1, 40) n`;

  test("goes down to a plain table with every row, key and sequence", async () => {
    write(
      "before-load",
      "0001_readings",
      `db.table("devices", { device: "text primary key" });
       db.table("readings", { id: "bigint generated by default as identity", time: "timestamptz not null", device: "text not null default 'x'", value: "double precision" });`,
    );
    write(
      "before-load",
      "0002_hyper",
      `db.hypertable("readings", { time: "time", chunk: days(7) });
       db.keys("readings", { primary: ["id", "time"], references: { device: "devices" } });`,
    );
    await run("before-load", { to: "0001_readings" });
    await query("INSERT INTO devices SELECT 'd' || n FROM generate_series(1, 40) n");
    await query(fill);
    await run("before-load");
    expect(await hypertables()).toHaveLength(1);
    const before = await query(rows);
    expect(before).toHaveLength(40);

    await run("before-load", { to: "0001_readings" });
    expect(await hypertables()).toEqual([]);
    expect(await query(rows)).toEqual(before);
    await query("INSERT INTO readings (time) VALUES ('2025-01-01')");
    expect(await query("SELECT id, device FROM readings WHERE time = '2025-01-01'")).toEqual([
      { id: "41", device: "x" },
    ]);
    await query("DELETE FROM readings WHERE time = '2025-01-01'");

    await run("before-load");
    expect(await hypertables()).toHaveLength(1);
    expect(await query(rows)).toEqual(before);
  });

  test("takes rows that were there before it", async () => {
    write("before-load", "0001_readings", readings);
    await run("before-load");
    await query(fill);
    write("before-load", "0002_hyper", `db.hypertable("readings", { time: "time", chunk: days(7) });`);
    await run("before-load");
    const [chunks] = await query<{ count: string }>("SELECT count(*) FROM show_chunks('readings')");
    expect(Number(chunks?.count)).toBeGreaterThan(5);
    expect(await query(rows)).toHaveLength(40);
  });
});
