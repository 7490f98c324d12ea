import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { EditionTarget, editions, unavailable } from "./edition-target.ts";
import { VocabularyFolder } from "./vocabulary-folder.ts";

let folder: VocabularyFolder;
let target: EditionTarget;

const readings = `
  db.table("devices", { device: "text primary key" });
  db.table("readings", { id: "text not null", time: "timestamptz not null", device: "text not null", value: "double precision", note: "text" });
  db.hypertable("readings", { time: "time", chunk: days(1) });`;
const keys = `db.keys("readings", { primary: ["id", "time"] });`;
const guards = `db.guard("readings", { unique: ["id"], time: "time" });
  db.guard("readings", { unique: ["note", "device"], time: "time" });`;
const alarms = `db.table("alarms", { name: "text primary key", reading_id: "text", reading_time: "timestamptz" });`;
const reference = (more = "") =>
  `db.hypertableReference("alarms", { columns: ["reading_id", "reading_time"], to: "readings", toColumns: ["id", "time"], ${more} });`;
const daily = (more = "") => `db.continuousAggregate("daily", {
  from: "readings", bucket: "day", groupBy: ["device"],
  query: \`SELECT device, time_bucket('1 day', time) AS day, count(*) AS n, avg(value) AS mean FROM readings GROUP BY device, time_bucket('1 day', time)\`,
  refresh: { every: hours(1), end: hours(1) }, ${more} });`;
const monthly = `db.continuousAggregate("monthly", {
  from: "daily", bucket: "month", groupBy: ["device"],
  query: \`SELECT device, time_bucket('1 month', day) AS month, sum(n) AS n FROM daily GROUP BY device, time_bucket('1 month', day)\`,
  refresh: { every: days(1), end: days(1) } });`;

/** Forty days of two devices, the last of them `ago` days back. */
const fill = (ago = 10) => `INSERT INTO readings (id, time, device, value)
  SELECT d || n, date_trunc('day', now()) - interval '${ago} days' - n * interval '1 day' + interval '1 hour', d, n
  FROM generate_series(1, 40) AS n, unnest(ARRAY['a', 'b']) AS d`;

describe.each(editions)("on the %s edition", (edition) => {
  beforeEach(async ({ skip }) => {
    const reason = unavailable(edition);
    if (reason) return skip(reason);
    folder = new VocabularyFolder();
    target = await EditionTarget.open(edition, "objects");
    folder.write("before-load", "0001_readings", readings);
    await target.migrate(folder.path, "before-load");
  });
  afterEach(async () => {
    await target?.drop();
    folder?.remove();
  });
  const finish = (more: Parameters<EditionTarget["migrate"]>[2] = {}) =>
    target.migrate(folder.path, "after-load", more);
  const refused = (sql: string) =>
    expect(target.client.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });

  describe("continuousAggregate()", () => {
    const counts = "SELECT sum(n)::int FROM";

    test("is filled, stacked, refreshed by the next run, and goes down before what it reads", async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_daily", daily());
      folder.write("after-load", "0002_monthly", monthly);
      const { realised } = await finish();
      expect(realised["continuous aggregate daily"]).toMatch(
        edition === "community"
          ? /^continuous aggregate, materialized only, refreshed every hour$/
          : /^materialized view, refreshed concurrently every hour \(fallback: the Apache edition/,
      );
      expect(await target.column(`${counts} daily`)).toEqual([80]);
      expect(await target.column(`${counts} monthly`)).toEqual([80]);
      expect(await target.column("SELECT mean FROM daily WHERE device = 'a' ORDER BY day LIMIT 1")).toEqual([
        40,
      ]);

      await target.client.query(
        "DELETE FROM readings WHERE id = 'a40'; INSERT INTO readings (id, time, device) SELECT 'late' || n, now() - interval '20 days', 'c' FROM generate_series(1, 5) n",
      );
      await finish();
      expect(await target.column(`${counts} daily`)).toEqual([84]);
      expect(await target.column(`${counts} monthly`)).toEqual([84]);

      await finish({ to: null });
      expect(await target.column("SELECT to_regclass('daily')::text")).toEqual([null]);
      expect(
        await target.column("SELECT count(*)::int FROM timelift.realised WHERE phase = 'after-load'"),
      ).toEqual([0]);
      expect(await target.column("SELECT count(*)::int FROM timelift.task")).toEqual([0]);
      expect((await finish()).up).toEqual(["0001_daily", "0002_monthly"]);
      expect(await target.column(`${counts} monthly`)).toEqual([84]);
    });

    test("with a query that fails leaves nothing, so that the file can be mended", async () => {
      folder.write("after-load", "0001_daily", daily().replace("avg(value)", "avg(nothing)"));
      await expect(finish()).rejects.toMatchObject({
        code: "migration-failed",
        subject: "migrations after-load/0001_daily (up)",
        message: expect.stringMatching(/at "CREATE MATERIALIZED VIEW "daily".*42703/),
      });
      folder.write("after-load", "0001_daily", daily());
      expect((await finish()).up).toEqual(["0001_daily"]);
    });

    test("of an interrupted run is filled by the next", async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_daily", daily());
      // As if killed between the commit and the refresh.
      await finish();
      await target.client.query("UPDATE timelift.realised SET settled_at = NULL");
      if (edition === "apache") await target.client.query("REFRESH MATERIALIZED VIEW daily WITH NO DATA");
      await finish();
      expect(await target.column(`${counts} daily`)).toEqual([80]);
      expect(
        await target.column("SELECT settled_at IS NOT NULL FROM timelift.realised WHERE name = 'daily'"),
      ).toEqual([true]);
    });

    test("in real time also shows what came after the last refresh, which a view on Apache cannot", async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_daily", daily("realTime: true"));
      const { realised } = await finish();
      await target.client.query("INSERT INTO readings (id, time, device) VALUES ('new', now(), 'a')");
      expect(await target.column(`${counts} daily`)).toEqual([edition === "community" ? 81 : 80]);
      if (edition === "community") expect(realised["continuous aggregate daily"]).toContain("real-time");
    });

    test("is made anew with those that read it when its definition comes from options that changed", async () => {
      await target.client.query(fill());
      folder.write(
        "after-load",
        "0001_daily",
        daily().replace("count(*)", `\${options.twice ? "2 *" : ""} count(*)`),
      );
      folder.write("after-load", "0002_monthly", monthly);
      await finish({ context: { options: { twice: false } } });
      expect(await target.column(`${counts} monthly`)).toEqual([80]);
      await finish({ context: { options: { twice: true } } });
      expect(await target.column(`${counts} monthly`)).toEqual([160]);
    });
  });

  describe("guard()", () => {
    beforeEach(async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_keys", keys);
      folder.write("after-load", "0002_guards", guards);
      await finish();
    });
    const entries = () => target.column<string>("SELECT id FROM timelift_guard.readings_id ORDER BY 1");

    test("refuses the same key at another time, and lets it come again after a delete", async () => {
      const again = "INSERT INTO readings (id, time, device) VALUES ('a1', now(), 'a')";
      await refused(again);
      await target.client.query("DELETE FROM readings WHERE id = 'a1'");
      await target.client.query(again);
      await refused(again.replace("now()", "now() - interval '3 days'"));
      expect(await entries()).toHaveLength(80);
    });

    test("follows updates, lets rows with a NULL be, and empties with TRUNCATE", async () => {
      await target.client.query("UPDATE readings SET note = 'x' WHERE id IN ('a1', 'b1')");
      await refused("UPDATE readings SET note = 'x' WHERE id = 'a2'");
      await target.client.query("UPDATE readings SET value = 7 WHERE id = 'a1'");
      await target.client.query("UPDATE readings SET id = 'other' WHERE id = 'a3'");
      await target.client.query(
        "UPDATE readings SET note = NULL WHERE id = 'a1'; UPDATE readings SET note = 'x' WHERE id = 'a2'",
      );
      expect(await entries()).toContain("other");
      expect(
        await target.column("SELECT device FROM timelift_guard.readings_note_device ORDER BY 1"),
      ).toEqual(["a", "b"]);
      await target.client.query("TRUNCATE readings");
      expect(await entries()).toEqual([]);
    });

    test("does not count a row that ON CONFLICT turns away", async () => {
      await target.client.query(`INSERT INTO readings (id, time, device, value)
        SELECT id, time, device, 99 FROM readings WHERE id = 'a1'
        ON CONFLICT (id, time) DO UPDATE SET value = excluded.value`);
      await target.client.query(`INSERT INTO readings (id, time, device) SELECT id, time, device FROM readings
        ON CONFLICT DO NOTHING`);
      expect(await target.column("SELECT value FROM readings WHERE id = 'a1'")).toEqual([99]);
      expect(await entries()).toHaveLength(80);
    });

    test("is kept by two writers at once: one of them waits, and is refused", async () => {
      const other = await connect(target.connection, "test");
      try {
        await target.client.query(
          "BEGIN; INSERT INTO readings (id, time, device) VALUES ('new', now(), 'a')",
        );
        const second = other.query(
          "INSERT INTO readings (id, time, device) VALUES ('new', now() - interval '1 hour', 'a')",
        );
        const outcome = expect(second).rejects.toMatchObject({ code: "23505" });
        await target.client.query("COMMIT");
        await outcome;
      } finally {
        await other.end();
      }
    });

    test("goes down without a trace, and up again with the rows that came meanwhile", async () => {
      await finish({ to: "0001_keys" });
      expect(
        await target.column("SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'timelift%'"),
      ).toEqual([0]);
      await target.client.query("INSERT INTO readings (id, time, device) VALUES ('c', now(), 'a')");
      await finish();
      expect(await entries()).toContain("c");
    });
  });

  describe("hypertableReference()", () => {
    const make = async (more = "") => {
      folder.write("before-load", "0002_alarms", alarms);
      await target.migrate(folder.path, "before-load");
      await target.client.query(fill());
      folder.write("after-load", "0001_keys", keys);
      folder.write("after-load", "0002_guards", guards);
      folder.write("after-load", "0003_reference", reference(more));
      await finish();
      await target.client.query("INSERT INTO alarms SELECT 'alarm ' || id, id, time FROM readings");
    };

    test("accepts twenty valid rows of one session and refuses what refers to nothing", async () => {
      await make();
      for (let n = 0; n < 20; n += 1) {
        await target.client.query({
          name: "insert alarm",
          text: "INSERT INTO alarms SELECT $1 || id, id, time FROM readings WHERE id = 'a1'",
          values: [`again ${n} `],
        });
      }
      await refused("INSERT INTO alarms VALUES ('x', 'nobody', now())");
      await refused("INSERT INTO alarms VALUES ('x', 'a1', now())");
      await refused("UPDATE alarms SET reading_id = 'nobody' WHERE name = 'alarm a1'");
      await target.client.query("INSERT INTO alarms VALUES ('x', NULL, NULL)");
    });

    test("on delete: no action refuses, cascade takes along", async () => {
      await make();
      await refused("DELETE FROM readings WHERE id = 'a1'");
      await refused("UPDATE readings SET id = 'moved' WHERE id = 'a1'");
      await refused("TRUNCATE readings");
      await target.client.query("UPDATE readings SET value = 1 WHERE id = 'a1'");
      await finish({ to: "0002_guards" });
      folder.write("after-load", "0003_reference", reference(`onDelete: "cascade"`));
      await finish();
      await target.client.query("DELETE FROM readings WHERE id = 'a1'");
      expect(await target.column("SELECT count(*)::int FROM alarms")).toEqual([79]);
      await target.client.query("TRUNCATE alarms, readings");
    });

    test("fills in the time where it is asked to", async () => {
      await make("fillTime: true");
      await target.client.query("INSERT INTO alarms (name, reading_id) VALUES ('by id', 'b7')");
      expect(
        await target.column(
          "SELECT a.reading_time = r.time FROM alarms a JOIN readings r ON r.id = 'b7' WHERE a.name = 'by id'",
        ),
      ).toEqual([true]);
      await refused("INSERT INTO alarms (name, reading_id) VALUES ('none', 'nobody')");
    });

    test("no parent goes while a child comes", async () => {
      await make(`onDelete: "cascade"`);
      const other = await connect(target.connection, "test");
      try {
        await target.client.query(
          "BEGIN; INSERT INTO alarms SELECT 'late', id, time FROM readings WHERE id = 'a9'",
        );
        const deleted = other.query("DELETE FROM readings WHERE id = 'a9'");
        await target.client.query("SELECT pg_sleep(0.2); COMMIT");
        await deleted;
        expect(await target.column("SELECT count(*)::int FROM alarms WHERE reading_id = 'a9'")).toEqual([0]);
      } finally {
        await other.end();
      }
    });

    test("is refused over orphans, without a guard, and as a native key into a hypertable", async () => {
      folder.write("before-load", "0002_alarms", alarms);
      await target.migrate(folder.path, "before-load");
      await target.client.query(`${fill()}; INSERT INTO alarms VALUES ('x', 'nobody', now())`);
      folder.write("after-load", "0001_keys", keys);
      folder.write("after-load", "0002_reference", reference());
      await expect(finish()).rejects.toMatchObject({
        code: "guard-missing",
        remedy: expect.stringContaining(`db.guard("readings", { unique: ["id"], time: "time" })`),
      });
      folder.write("after-load", "0002_reference", `${guards}${reference()}`);
      await expect(finish()).rejects.toMatchObject({
        code: "migration-failed",
        message: expect.stringContaining("nobody"),
      });
      folder.write(
        "after-load",
        "0002_reference",
        `db.keys("alarms", { references: { reading_id: "readings" } });`,
      );
      await expect(finish()).rejects.toMatchObject({ code: "reference-into-hypertable" });
    });
  });

  describe("retention()", () => {
    const retain = (more = "") => `db.retention("readings", { after: days(30), ${more} });`;
    const runTasks = async () => {
      if (edition === "community") {
        const [job] = await target.column<number>(
          "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name IN ('policy_retention', 'run_task_job') ORDER BY 1 DESC",
        );
        await target.client.query(`CALL run_job(${job})`);
      } else {
        await target.client.query("SELECT timelift.run_task(name, true) FROM timelift.task");
      }
    };

    test("drops what is too old when it runs, and nothing else", async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_retention", retain());
      const { realised } = await finish();
      expect(realised["retention readings"]).toMatch(
        edition === "community" ? /^chunks go when/ : /by drop_chunks/,
      );
      await runTasks();
      const [oldest] = await target.column<boolean>(
        "SELECT min(time) > now() - interval '33 days' FROM readings",
      );
      expect(oldest).toBe(true);
      expect(await target.column("SELECT count(*)::int FROM readings")).toEqual([
        expect.toSatisfy((n: number) => n >= 36 && n <= 44),
      ]);
    });

    test("takes along what triggers keep of the rows", async () => {
      folder.write("before-load", "0002_alarms", alarms);
      await target.migrate(folder.path, "before-load");
      await target.client.query(fill());
      folder.write("after-load", "0001_keys", keys);
      folder.write("after-load", "0002_guards", `${guards}${reference(`onDelete: "cascade"`)}`);
      folder.write("after-load", "0003_retention", retain());
      const { realised } = await finish();
      expect(realised["retention readings"]).toContain("fallback");
      await target.client.query("INSERT INTO alarms SELECT 'alarm ' || id, id, time FROM readings");
      await runTasks();
      expect(await target.column("SELECT error FROM timelift.task")).toEqual([null]);
      const counts =
        "SELECT array[(SELECT count(*) FROM readings), (SELECT count(*) FROM alarms), (SELECT count(*) FROM timelift_guard.readings_id)]::int[]";
      const [[rows, children, entries] = []] = await target.column<number[]>(counts);
      expect(rows).toBeLessThan(50);
      expect([children, entries]).toEqual([rows, rows]);
      await target.client.query("INSERT INTO readings (id, time, device) VALUES ('a40', now(), 'a')");
    });

    test("keeps what an aggregate has seen, where it is one of TimescaleDB's", async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_daily", daily());
      folder.write("after-load", "0002_retention", retain());
      const { realised } = await finish();
      await runTasks();
      await finish();
      const [n] = await target.column<number>("SELECT sum(n)::int FROM daily");
      if (edition === "community") expect(n).toBe(80);
      else expect(realised["continuous aggregate daily"]).toContain("knows no row that retention dropped");
    });

    test("turned on later, still keeps what an aggregate has seen, and turned off again makes none anew", async ({
      skip,
    }) => {
      if (edition === "apache") return skip("on Apache an aggregate knows no row that was dropped");
      await target.client.query(fill());
      folder.write("after-load", "0001_daily", daily());
      folder.write("after-load", "0002_retention", retain("enabled: false"));
      await finish();
      const set = (retention: string) =>
        finish({ context: { options: {}, hypertables: { readings: { retention } } } });
      const seen = () => target.column("SELECT sum(n)::int FROM daily");
      const refresh = async () => {
        const [job] = await target.column<number>(
          "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'",
        );
        await target.client.query(`CALL run_job(${job})`);
      };
      expect((await set("on")).realised["continuous aggregate daily"]).toMatch(/every hour, 30 days back$/);
      await runTasks();
      expect(await target.column("SELECT count(*) < 50 FROM readings")).toEqual([true]);
      await refresh();
      await set("on");
      expect(await seen()).toEqual([80]);
      expect((await set("off")).realised["continuous aggregate daily"]).toMatch(/every hour$/);
      expect(await seen()).toEqual([80]);
    });

    test("is off until the config turns it on, and goes when it is turned off again", async () => {
      await target.client.query(fill());
      folder.write("after-load", "0001_retention", retain("enabled: false"));
      expect((await finish()).realised).toEqual({});
      const set = (retention: string) =>
        finish({ context: { options: {}, hypertables: { readings: { retention } } } });
      expect((await set("on")).realised["retention readings"]).toContain("30 days");
      expect((await set("60 days")).realised["retention readings"]).toContain("60 days");
      expect((await set("off")).realised).toEqual({});
      const left =
        edition === "community"
          ? "SELECT count(*)::int FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
          : "SELECT count(*)::int FROM timelift.task";
      expect(await target.column(left)).toEqual([0]);
      await expect(set("soon")).rejects.toMatchObject({ code: "interval" });
    });
  });

  test("job() runs its statement, and tells of a failure without ending others", async () => {
    folder.write("before-load", "0002_log", `db.table("log", { n: "int" });`);
    await target.migrate(folder.path, "before-load");
    folder.write(
      "after-load",
      "0001_jobs",
      `db.job("note", { every: minutes(5), statement: "INSERT INTO log VALUES (1)" }); db.job("broken", { every: hours(1), statement: "INSERT INTO nowhere VALUES (1)" });`,
    );
    const { realised } = await finish();
    expect(realised["job note"]).toMatch(/^every 5 minutes by (TimescaleDB's jobs|pg_cron)/);
    await target.client.query("SELECT timelift.run_task('note'), timelift.run_task('broken')");
    await target.client.query("SELECT timelift.run_task('note')");
    expect(await target.column("SELECT n FROM log")).toEqual([1]);
    expect(await target.column("SELECT error FROM timelift.task ORDER BY name")).toEqual([
      expect.stringContaining("nowhere"),
      null,
    ]);
    const schedulers = await target.column("SELECT DISTINCT scheduler FROM timelift.task");
    expect(schedulers).toEqual([edition === "community" ? "timescaledb" : "maintain"]);
    await finish({ to: null });
    expect(await target.column("SELECT count(*)::int FROM timelift.task")).toEqual([0]);
  });

  test("chunkInterval() and the config's chunk hold for chunks made from then on, and go back", async () => {
    const interval = () =>
      target.column("SELECT extract(day FROM time_interval)::int FROM timescaledb_information.dimensions");
    folder.write(
      "before-load",
      "0002_chunks",
      `db.chunkInterval("readings", { to: days(7), was: days(1) });`,
    );
    await target.migrate(folder.path, "before-load");
    expect(await interval()).toEqual([7]);
    await target.migrate(folder.path, "before-load", {
      context: { options: {}, hypertables: { readings: { chunk: "30 days" } } },
    });
    expect(await interval()).toEqual([30]);
    await target.migrate(folder.path, "before-load");
    expect(await interval()).toEqual([1]);
    await target.migrate(folder.path, "before-load", { to: "0001_readings" });
    expect(await interval()).toEqual([1]);
  });

  test("reorder(), columnstore and its policy: native on Community, skipped with the reason on Apache", async () => {
    folder.write(
      "before-load",
      "0002_columnstore",
      `db.columnstore("readings", { segmentBy: ["device"], orderBy: ["time desc"] });`,
    );
    folder.write("after-load", "0001_keys", `${keys} db.index("readings", ["device", "time desc"]);`);
    folder.write(
      "after-load",
      "0002_policies",
      `db.reorder("readings", { index: "readings_device_time_idx" }); db.columnstorePolicy("readings", { after: days(20) });`,
    );
    const before = await target.migrate(folder.path, "before-load");
    await target.client.query(fill());
    const { realised } = await finish();
    const all = Object.values({ ...before.realised, ...realised });
    if (edition === "apache") {
      for (const each of all) expect(each).toMatch(/^skipped: the Apache edition/);
      return;
    }
    for (const each of all) expect(each).not.toContain("skipped");
    const [job] = await target.column<number>(
      "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name LIKE 'policy_c%'",
    );
    await target.client.query(`CALL run_job(${job})`);
    const compressed = () =>
      target.column<number>("SELECT count(*)::int FROM timescaledb_information.chunks WHERE is_compressed");
    expect((await compressed())[0]).toBeGreaterThan(20);
    await target.client.query(`INSERT INTO readings (id, time, device, value) SELECT id, time, device, -1 FROM readings WHERE id = 'a40'
      ON CONFLICT (id, time) DO UPDATE SET value = excluded.value`);
    expect(await target.column("SELECT value FROM readings WHERE id = 'a40'")).toEqual([-1]);
    await target.migrate(folder.path, "before-load", { to: "0001_readings" });
    expect(await compressed()).toEqual([0]);
    expect(await target.column("SELECT count(*)::int FROM readings")).toEqual([80]);
  });

  test("compressed chunks keep guards and references", async ({ skip }) => {
    if (edition === "apache") return skip("the Apache edition has no columnstore");
    folder.write(
      "before-load",
      "0002_alarms",
      `${alarms} db.columnstore("readings", { segmentBy: ["device"] });`,
    );
    await target.migrate(folder.path, "before-load");
    await target.client.query(fill());
    folder.write("after-load", "0001_keys", keys);
    folder.write("after-load", "0002_guards", `${guards}${reference(`onDelete: "cascade"`)}`);
    folder.write("after-load", "0003_policy", `db.columnstorePolicy("readings", { after: years(1) });`);
    await finish();
    await target.client.query("INSERT INTO alarms SELECT 'alarm ' || id, id, time FROM readings");
    await target.client.query("SELECT compress_chunk(c) FROM show_chunks('readings') c");
    expect(await target.column("SELECT count(*)::int FROM timelift_guard.readings_id")).toEqual([80]);
    await refused("INSERT INTO readings (id, time, device) VALUES ('a1', now(), 'a')");
    await target.client.query("DELETE FROM readings WHERE id = 'a1'");
    expect(await target.column("SELECT count(*)::int FROM alarms")).toEqual([79]);
    expect(await target.column("SELECT count(*)::int FROM timelift_guard.readings_id")).toEqual([79]);
  });

  test("sqlFunction() answers, and goes", async () => {
    await target.client.query(fill());
    folder.write(
      "after-load",
      "0001_function",
      `db.sqlFunction("most", { arguments: { device: "text" }, returns: "double precision", body: "SELECT max(r.value) FROM readings AS r WHERE r.device = most.device" });`,
    );
    await finish();
    expect(await target.column("SELECT most('a')")).toEqual([40]);
    await finish({ to: null });
    expect(await target.column("SELECT count(*)::int FROM pg_proc WHERE proname = 'most'")).toEqual([0]);
  });

  test("settings of a hypertable that nothing takes are refused", async () => {
    folder.write("after-load", "0001_keys", keys);
    const set = (hypertables: Record<string, object>) => finish({ context: { options: {}, hypertables } });
    await expect(set({ reading: { chunk: "1 day" } })).rejects.toMatchObject({
      code: "hypertable-settings",
      remedy: "choose one of readings",
    });
    await expect(set({ readings: { retention: "1 day" } })).rejects.toMatchObject({
      code: "hypertable-settings",
      subject: "timelift:hypertables.readings.retention",
    });
  });
});
