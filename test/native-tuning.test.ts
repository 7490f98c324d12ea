import { expect, test } from "vitest";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { prometheus } from "../stacks/services/prometheus.ts";
import { redis } from "../stacks/services/redis.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { tuning } from "../stacks/services/timescaledb-tuning.ts";

/** What timescaledb-tune's rules give, worked out by hand from its source. */
test.each([
  [1024, 1, 100, "262144kB", "786432kB", "131072kB", "1310kB", "7864kB", 18, 1, 64],
  [2048, 2, 100, "524288kB", "1572864kB", "262144kB", "2621kB", "16MB", 19, 1, 64],
  [8192, 4, 100, "2097152kB", "6291456kB", "1048576kB", "5242kB", "16MB", 21, 2, 128],
  [32768, 8, 100, "8388608kB", "25165824kB", "2096128kB", "10485kB", "16MB", 25, 4, 512],
  [32768, 8, 25, "8388608kB", "25165824kB", "2096128kB", "41943kB", "16MB", 25, 4, 512],
])(
  "%i MB, %i cpus, %i connections",
  (memoryMb, cpus, maxConnections, buffers, cached, upkeep, work, wal, workers, gather, locks) => {
    expect(tuning({ memoryMb, cpus, maxConnections })).toMatchObject({
      max_connections: maxConnections,
      shared_buffers: buffers,
      effective_cache_size: cached,
      maintenance_work_mem: upkeep,
      work_mem: work,
      wal_buffers: wal,
      "timescaledb.max_background_workers": 8,
      max_worker_processes: workers,
      max_parallel_workers: cpus,
      max_parallel_workers_per_gather: gather,
      max_locks_per_transaction: locks,
    });
  },
);

test("the server is durable and quiet, and has its extensions loaded", () => {
  expect(timescaledb({ port: 5432, database: "app" }).settings).toMatchObject({
    fsync: true,
    full_page_writes: true,
    shared_preload_libraries: "timescaledb,pg_cron,pg_stat_statements,pgaudit",
    "cron.database_name": "app",
    "cron.use_background_workers": true,
    "timescaledb.telemetry_level": "off",
    password_encryption: "scram-sha-256",
    log_statement: "ddl",
  });
});

test("a declaration is the same after JSON, and the same twice", () => {
  const declare = () => [
    timescaledb({ port: 1, database: "app" }),
    pgbouncer({ port: 2, upstreamPort: 1, database: "app" }),
    redis({ port: 3 }),
    prometheus({ port: 4, scrape: [{ job: "x", targets: ["127.0.0.1:5"] }] }),
  ];
  expect(JSON.parse(JSON.stringify(declare()))).toEqual(declare());
});
