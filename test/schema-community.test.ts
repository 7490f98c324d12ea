import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Connection } from "../loaders/connection.ts";
import { recordSchema } from "../migrations/schema-record.ts";
import { communityDatabase, noCommunity } from "./community.ts";
import { asked, drift, dump, run } from "./schema-of.ts";

describe("on the Community edition", () => {
  let owner: Connection;
  let drop: () => Promise<void>;
  beforeEach(async ({ skip }) => {
    if (noCommunity) return skip(noCommunity);
    ({ owner, drop } = await communityDatabase("schema"));
  });
  afterEach(async () => {
    if (!noCommunity) await drop();
  });

  const bars = [
    "CREATE TABLE bars (time timestamptz NOT NULL, symbol text NOT NULL, close double precision)",
    "SELECT create_hypertable('bars', by_range('time', INTERVAL '30 days'))",
    "ALTER TABLE bars SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'symbol', timescaledb.orderby = 'time DESC, close NULLS FIRST')",
    "CREATE TABLE notes (time timestamptz NOT NULL, note text); CREATE INDEX notes_note ON notes (note)",
    "SELECT create_hypertable('notes', by_range('time'))",
    "ALTER TABLE notes SET (timescaledb.enable_columnstore)",
    `CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS
      SELECT symbol, time_bucket('1 day', time) AS day, last(close, time) AS close FROM bars GROUP BY 1, 2 WITH NO DATA`,
    `CREATE MATERIALIZED VIEW weekly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
      SELECT symbol, time_bucket('7 days', day) AS week, last(close, day) AS close FROM daily GROUP BY 1, 2 WITH NO DATA`,
    "CREATE INDEX daily_close ON daily (close)",
    "ALTER MATERIALIZED VIEW daily SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'symbol')",
    "CALL add_columnstore_policy('bars', after => INTERVAL '90 days')",
    "SELECT add_continuous_aggregate_policy('daily', INTERVAL '30 days', INTERVAL '1 day', INTERVAL '1 hour')",
    "CALL add_columnstore_policy('daily', after => INTERVAL '1 year')",
    "SELECT add_retention_policy('notes', INTERVAL '10 years')",
    "SELECT add_reorder_policy('notes', 'notes_note')",
    "CREATE PROCEDURE tidy(job_id integer, config jsonb) LANGUAGE plpgsql AS 'BEGIN NULL; END'",
    `SELECT add_job('tidy', '2 hours', config => '{"device_id": 7}')`,
  ];

  const barsDumped = `edition community

table bars
  column "time" timestamp with time zone not null
  column symbol text not null
  column close double precision
  index bars_time_idx USING btree ("time" DESC)
  hypertable by "time", chunks of 30 days
  columnstore segment by symbol, order by "time" DESC, close NULLS FIRST
  columnstore policy every 12:00:00 {"compress_after": "90 days"}

table notes
  column "time" timestamp with time zone not null
  column note text
  index notes_note USING btree (note)
  index notes_time_idx USING btree ("time" DESC)
  hypertable by "time", chunks of 7 days
  columnstore
  reorder policy every 84:00:00 {"index_name": "notes_note"}
  retention policy every 1 day {"drop_after": "10 years"}

continuous aggregate daily
  on table bars
  materialized only
  SELECT symbol,
      time_bucket('1 day'::interval, "time") AS day,
      last(close, "time") AS close
     FROM bars
    GROUP BY symbol, (time_bucket('1 day'::interval, "time"))
  index USING btree (day DESC)
  index USING btree (symbol, day DESC)
  index daily_close USING btree (close)
  hypertable by day, chunks of 300 days
  columnstore segment by symbol, order by day
  columnstore policy every 12:00:00 {"compress_after": "1 year"}
  refresh policy every 01:00:00 {"end_offset": "1 day", "start_offset": "30 days"}

continuous aggregate weekly
  on continuous aggregate daily
  real time
  SELECT symbol,
      time_bucket('7 days'::interval, day) AS week,
      last(close, day) AS close
     FROM daily
    GROUP BY symbol, (time_bucket('7 days'::interval, day))
  index USING btree (symbol, week DESC)
  index USING btree (week DESC)
  hypertable by week, chunks of 300 days

procedure tidy(integer,jsonb)
  CREATE OR REPLACE PROCEDURE public.tidy(IN job_id integer, IN config jsonb)
   LANGUAGE plpgsql
  AS $procedure$BEGIN NULL; END$procedure$

job public.tidy
  every 02:00:00 {"device_id": 7}
`;

  test("aggregates, columnstore, policies and jobs are printed, and do not change as they work", async () => {
    await run(owner, ...bars);
    expect(await dump(owner)).toBe(barsDumped);
    await run(
      owner,
      `INSERT INTO bars SELECT now() - i * interval '1 day', 's' || i % 3, i FROM generate_series(1, 500) i`,
      "INSERT INTO notes SELECT time, symbol FROM bars",
      "CALL refresh_continuous_aggregate('daily', NULL, NULL)",
      "CALL refresh_continuous_aggregate('weekly', NULL, NULL)",
      "DO $$ DECLARE job int; BEGIN FOR job IN SELECT job_id FROM timescaledb_information.jobs WHERE job_id >= 1000 LOOP CALL public.run_job(job); END LOOP; END $$",
      "SELECT compress_chunk(c) FROM show_chunks('notes') c",
      "SELECT compress_chunk(c) FROM show_chunks('daily') c",
    );
    const compressed = await asked(owner, (client) =>
      client.query("SELECT FROM timescaledb_information.chunks WHERE is_compressed"),
    );
    expect(compressed.rowCount).toBeGreaterThan(10);
    expect(await dump(owner)).toBe(barsDumped);
  });

  test.each<[string, string, string[]]>([
    [
      "a policy that waits longer",
      "CALL remove_columnstore_policy('bars'); CALL add_columnstore_policy('bars', after => INTERVAL '5 days')",
      [
        "  table bars",
        '-   columnstore policy every 12:00:00 {"compress_after": "90 days"}',
        '+   columnstore policy every 12:00:00 {"compress_after": "5 days"}',
      ],
    ],
    [
      "a policy that is paused",
      "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'",
      [
        "  continuous aggregate daily",
        '-   refresh policy every 01:00:00 {"end_offset": "1 day", "start_offset": "30 days"}',
        '+   refresh policy every 01:00:00 {"end_offset": "1 day", "start_offset": "30 days"} (paused)',
      ],
    ],
    [
      "a policy that is gone",
      "SELECT remove_retention_policy('notes')",
      ["  table notes", '-   retention policy every 1 day {"drop_after": "10 years"}'],
    ],
    [
      "a job at another pace",
      "SELECT alter_job(job_id, schedule_interval => '1 day') FROM timescaledb_information.jobs WHERE proc_name = 'tidy'",
      ["  job public.tidy", '-   every 02:00:00 {"device_id": 7}', '+   every 1 day {"device_id": 7}'],
    ],
    [
      "other columnstore settings",
      "ALTER TABLE bars SET (timescaledb.segmentby = '', timescaledb.orderby = 'time')",
      [
        "  table bars",
        '-   columnstore segment by symbol, order by "time" DESC, close NULLS FIRST',
        '+   columnstore order by "time"',
      ],
    ],
    [
      "an aggregate in real time",
      "ALTER MATERIALIZED VIEW daily SET (timescaledb.materialized_only = false)",
      ["  continuous aggregate daily", "-   materialized only", "+   real time"],
    ],
    [
      "an index of an aggregate that is gone",
      "DROP INDEX _timescaledb_internal.daily_close",
      ["  continuous aggregate daily", "-   index daily_close USING btree (close)"],
    ],
  ])("%s is drift", async (_, change, expected) => {
    await run(owner, ...bars);
    await asked(owner, recordSchema);
    expect(await drift(owner)).toEqual([]);
    await run(owner, change);
    expect(await drift(owner)).toEqual(expected);
  });
});
