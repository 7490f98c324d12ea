import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { dumpSchema } from "../migrations/schema-dump.ts";
import type { MigrationContext } from "../migrations/timescale.ts";
import { findWorkload } from "../stacks/workload.ts";
import { DeployedWorkload } from "./deployed-workload.ts";
import type { EditionTarget } from "./edition-target.ts";
import { editions, unavailable } from "./edition-target.ts";
import { buildIotSource, type IotRows } from "./iot-source.ts";

const iot = { name: "iot", path: join(import.meta.dirname, "workloads", "iot"), options: {} };

/** One story on each edition: each test goes on where the one before it ended. */
describe.each(editions)("a workload kept elsewhere, on the %s edition", (edition) => {
  const reason = unavailable(edition);
  let at: DeployedWorkload;
  let target: EditionTarget;
  let rows: IotRows;

  beforeAll(async () => {
    if (reason) return;
    at = await DeployedWorkload.make(iot, edition);
    target = at.target;
    rows = buildIotSource(at.source);
    await target.client.query("SET TimeZone = 'UTC'");
  });
  beforeEach(({ skip }) => {
    if (reason) skip(reason);
  });
  afterAll(() => at?.remove());

  /** Every check passes; only the columnstore may be skipped, and only on Apache. */
  async function expectValid(context?: MigrationContext): Promise<void> {
    const { checks } = await at.validate(context);
    expect(checks.length).toBeGreaterThan(35);
    const skipped = ["SKIP columnstore readings", "SKIP columnstore policy readings"];
    expect(checks.filter(({ status }) => status !== "PASS").map(renderCheck)).toEqual(
      edition === "community" ? [] : skipped.map((name) => expect.stringMatching(new RegExp(`^${name} `))),
    );
  }
  const refused = (sql: string, code: string) =>
    expect(target.client.query(sql)).rejects.toMatchObject({ code });
  const packedChunks = async () => {
    const chunks = await target.column<boolean>(
      "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'readings'",
    );
    return `${chunks.filter(Boolean).length} of ${chunks.length}`;
  };

  test("loads and passes, with nothing left out but the columnstore", async () => {
    await at.migrate("before-load");
    const loaded = await at.load();
    expect(Object.entries(loaded.tables).map(([table, { inserted }]) => [table, inserted])).toEqual([
      ["devices", rows.devices],
      ["firmware_installs", rows.withFirmware],
      ["readings", rows.readings],
      ["alarms", rows.alarms],
    ]);
    // On Community the days of the source are old enough to be written straight to the columnstore.
    expect(await packedChunks()).toBe(edition === "community" ? "4 of 4" : "0 of 4");
    const { realised } = await at.migrate("after-load");
    expect(Object.keys(realised).toSorted()).toEqual([
      "columnstore policy readings",
      "continuous aggregate readings_hourly",
      "continuous aggregate readings_summary",
      "guard readings_message_id",
      "reference alarms_message_id_fkey",
    ]);
    await expectValid();
  });

  test("times are moments, '' is NULL, an alarm knows its reading's time", async () => {
    const first = `SELECT taken::text FROM readings WHERE device = 'berlin-1' AND metric = 'temperature' ORDER BY taken LIMIT 2`;
    expect(await target.column(first)).toEqual(["2025-03-01 00:00:00.919+00", "2025-03-01 00:01:00.757+00"]);
    expect(
      await target.column(
        "SELECT (battery, mains_powered, settings ->> 'unit')::text FROM devices ORDER BY 1",
      ),
    ).toEqual(["(,t,°C)", "(,t,°C)", "(97,f,°C)", "(97,f,°C)", "(98,f,°C)", "(98,f,°C)"]);
    expect(
      await target.column(
        "SELECT version || ' ' || installed FROM firmware_installs WHERE device = 'oslo-3'",
      ),
    ).toEqual(["1.3.0 2025-02-26 00:00:00+00"]);
    expect(
      await target.column(
        "SELECT DISTINCT a.raised - r.taken FROM alarms AS a JOIN readings AS r USING (message_id, taken)",
      ),
    ).toEqual([{ seconds: 1, milliseconds: 500 }]);
  });

  test("the application inserts, is refused what was refused before, and deletes", async () => {
    const insert = (message: string, hour: number, device = "oslo-1") =>
      `INSERT INTO readings VALUES ('oslo', '${device}', 'temperature', '2025-03-05 0${hour}:00', 21, '${message}')`;
    const alarm = (message: string) =>
      `INSERT INTO alarms (message_id, raised, level) VALUES ('${message}', now(), 'critical') RETURNING taken::text`;
    await target.client.query(insert("new", 1));
    await refused(insert("new", 2), "23505");
    await refused(insert("other", 1), "23505");
    await refused(insert("other", 2, "oslo-9"), "23503");
    expect(await target.column(alarm("new"))).toEqual(["2025-03-05 01:00:00+00"]);
    await refused(alarm("none"), "23503");
    await target.client.query("DELETE FROM readings WHERE message_id = 'new'");
    await expectValid();
  });

  test("a later load brings what came, changed and went, and the aggregates follow", async () => {
    const sums = (table: string) =>
      target.column(
        `SELECT (samples, total)::text FROM ${table} WHERE device = 'oslo-2' AND metric = 'humidity'`,
      );
    expect(await sums("readings_hourly")).toHaveLength(4 * 24);
    const noon = Date.UTC(2025, 2, 5, 12);
    at.write(`
      INSERT INTO readings VALUES ('oslo', 'oslo-2', 'humidity', ${noon}, 40, 'late 1'),
        ('oslo', 'oslo-2', 'humidity', ${noon + 60_000}, 44, 'late 2');
      INSERT INTO alarms (message_id, raised_at, level) VALUES ('late 2', ${noon + 60_000}, 'warning');
      UPDATE readings SET value = 99.5 WHERE device = 'oslo-1' AND value IS NULL;
      DELETE FROM alarms WHERE message_id IN (SELECT message_id FROM readings WHERE device = 'berlin-3');
      DELETE FROM readings WHERE device = 'berlin-3' AND value IS NULL;
      UPDATE devices SET battery = 12, firmware = '2.0.0', firmware_at = ${noon / 1000} WHERE device = 'oslo-2'`);
    const { tables } = await at.load();
    // Each device has 11 or 12 readings of a sensor that failed.
    const few = expect.toSatisfy((n: number) => n === 11 || n === 12);
    expect(tables).toMatchObject({
      devices: { inserted: 0, updated: 1, deleted: 0 },
      firmware_installs: { inserted: 1, updated: 0, deleted: 0 },
      readings: { inserted: 2, updated: few, deleted: few },
      alarms: { inserted: 1, updated: 0, deleted: few },
    });
    await at.migrate("after-load");
    expect(await sums("readings_hourly")).toHaveLength(4 * 24 + 1);
    expect(await sums("readings_hourly")).toContain("(2,84)");
    expect(await sums("readings_summary")).toContain("(2,84)");
    await expectValid();
  });

  test("new readings come before the alarms that they raised, whatever the loader's order", async () => {
    const noon = Date.UTC(2025, 2, 5, 12);
    at.write(`INSERT INTO readings VALUES ('oslo', 'oslo-2', 'temperature', ${noon}, 90, 'hot');
      INSERT INTO alarms (message_id, raised_at, level) VALUES ('hot', ${noon}, 'critical')`);
    const { alarms = {}, ...others } = at.workload.loader.tables;
    const { tables } = await at.load({ loader: { tables: { alarms, ...others } }, workers: 2 });
    expect([tables.readings?.inserted, tables.alarms?.inserted]).toEqual([1, 1]);
  });

  test("a reading whose key changes keeps its alarm, with its own time", async () => {
    const ofAlarm = "WHERE message_id = (SELECT message_id FROM alarms WHERE id = 1)";
    for (const change of ["metric = 'dew point'", "ts = ts + 3600000"]) {
      at.write(`UPDATE readings SET ${change} ${ofAlarm}`);
      const { tables } = await at.load();
      expect(tables.readings).toMatchObject({ inserted: 1, updated: 0, deleted: 1 });
      await at.migrate("after-load");
      await expectValid();
    }
  });

  test("retention is off until the config turns it on", async () => {
    const retained = async (more: Partial<MigrationContext>) => {
      const { realised } = await at.migrate("after-load", { context: at.context(more) });
      return realised["retention readings"];
    };
    const set = (retention: string) => retained({ hypertables: { readings: { retention } } });
    expect(await set("on")).toContain("when they are 2 years old");
    expect(await set("90 days")).toContain("when they are 90 days old");
    expect(await retained({})).toBeUndefined();
  });

  test("an option makes both aggregates anew", async () => {
    const most = () => target.column("SELECT max(samples)::int FROM readings_summary");
    const wide = at.context({ options: { summary: "15 minutes" } });
    expect(await most()).toEqual([5]);
    await at.migrate("after-load", { context: wide });
    expect(await most()).toEqual([15]);
    await expectValid(wide);
    await at.migrate("after-load");
    expect(await most()).toEqual([5]);
    await expect(findWorkload({ ...iot, options: { summary: "2 minutes" } })).rejects.toMatchObject({
      code: "workload-options",
    });
  });

  test("the policy moves chunks to the columnstore, and the application writes into them", async ({
    skip,
  }) => {
    if (edition === "apache") return skip("the Apache edition has no columnstore");
    const [job] = await target.column<number>(
      "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name IN ('policy_compression', 'policy_columnstore')",
    );
    await target.client.query(`CALL run_job(${job})`);
    expect(await packedChunks()).toBe("5 of 5");
    const hour = "device = 'berlin-2' AND taken < '2025-03-01 01:00+00'";
    const upsert = (value: string) =>
      target.client.query(`INSERT INTO readings
        SELECT site, device, metric, taken, ${value}, message_id FROM readings WHERE ${hour}
        ON CONFLICT (site, device, metric, taken) DO UPDATE SET value = excluded.value`);
    expect((await upsert("value + 1024")).rowCount).toBe(120);
    expect(await target.column(`SELECT min(value) > 1024 FROM readings WHERE ${hour}`)).toEqual([true]);
    const { checks } = await at.validate();
    expect(checks.map(renderCheck)).toContainEqual(expect.stringMatching(/^FAIL readings checksum/));
    await upsert("round((value - 1024)::numeric, 2)");
    await refused(
      `INSERT INTO readings SELECT site, device, metric, taken + interval '1 hour', 0, message_id FROM readings WHERE ${hour} LIMIT 1`,
      "23505",
    );
    await expectValid();
  });

  test("goes down to nothing, and comes up again with its rows", async () => {
    const full = await dumpSchema(target.client);
    await at.migrate("after-load", { to: null });
    await at.migrate("after-load");
    expect(await dumpSchema(target.client)).toBe(full);
    await expectValid();

    await expect(at.migrate("before-load", { to: null })).rejects.toMatchObject({ code: "migration-rows" });
    await at.migrate("before-load", { to: null, dropRows: true });
    expect(await target.column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    await at.migrate("before-load");
    await at.load();
    await at.migrate("after-load");
    expect(await dumpSchema(target.client)).toBe(full);
    await expectValid();
  });
});
