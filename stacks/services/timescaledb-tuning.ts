import type { Setting } from "./service.ts";

/** The machine's share that the server may count on. */
export interface TuningArgs {
  /** Memory in MB (2^20 bytes). */
  memoryMb: number;
  /** Processor cores. */
  cpus: number;
  /** Client connections that the server accepts. */
  maxConnections: number;
}

/** timescaledb-tune's own count of TimescaleDB's background workers. */
const timescaleWorkers = 8;
/** Checkpointer, WAL writer and autovacuum, as timescaledb-tune counts them. */
const builtInWorkers = 3;
/** pg_cron's launcher and the five jobs it may run at once as background workers; not in timescaledb-tune. */
const cronWorkers = 6;

/**
 * PostgreSQL's settings for the given memory and cores, by the rules of timescaledb-tune (its packages
 * pgtune/memory, parallel, wal and misc). Memory values are whole kB.
 *
 * Two values differ from it, on purpose: `max_wal_size` (below) and room for pg_cron's workers.
 */
export function tuning(args: TuningArgs): Record<string, Setting> {
  const memoryKb = args.memoryMb * 1024;
  const gigabytes = args.memoryMb / 1024;
  const halfOfCpus = Math.max(1, Math.round(args.cpus / 2));
  return {
    max_connections: args.maxConnections,

    // A quarter for PostgreSQL's own cache; three quarters is what the planner may expect to find cached.
    shared_buffers: kb(memoryKb / 4),
    effective_cache_size: kb((memoryKb * 3) / 4),
    // 128 MB for each GB of memory, up to 2047 MB: index builds and vacuum.
    maintenance_work_mem: kb(Math.min(gigabytes * 128, 2047) * 1024),
    // 6.4 MB for each GB at 20 connections, shared among more connections and among parallel workers.
    work_mem: kb(Math.max(64, (gigabytes * 6.4 * 1024 * 20) / args.maxConnections / halfOfCpus)),

    "timescaledb.max_background_workers": timescaleWorkers,
    max_worker_processes: builtInWorkers + timescaleWorkers + cronWorkers + args.cpus,
    max_parallel_workers: args.cpus,
    max_parallel_workers_per_gather: halfOfCpus,

    // 7864 kB for each GB below 2 GB, then 16 MB, one WAL segment.
    wal_buffers: args.memoryMb < 2048 ? kb(gigabytes * 7864) : "16MB",
    // timescaledb-tune takes 60 % of a disk of its own for WAL, and 1 GB where it knows of none. A load writes
    // faster than that: with 1 GB it would spend its time in checkpoints. It is a ceiling, used while loading.
    max_wal_size: "4GB",
    min_wal_size: "512MB",
    checkpoint_completion_target: 0.9,

    // For solid-state disks, and finer statistics for large tables.
    random_page_cost: 1.1,
    effective_io_concurrency: 200,
    default_statistics_target: 500,
    // Every chunk that a query touches takes a lock.
    max_locks_per_transaction: locksFor(gigabytes),
  };
}

function locksFor(gigabytes: number): number {
  if (gigabytes >= 32) return 512;
  if (gigabytes >= 16) return 256;
  return gigabytes >= 8 ? 128 : 64;
}

function kb(value: number): string {
  return `${Math.floor(value)}kB`;
}
