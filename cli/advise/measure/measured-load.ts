import { join } from "node:path";
import type pg from "pg";
import { connect } from "../../../loaders/connection.ts";
import { quoteIdentifier } from "../../../loaders/identifier.ts";
import { runLoad } from "../../../loaders/run-load.ts";
import { columnstoreAges } from "../../../migrations/declared.ts";
import type { HypertableSettings } from "../../../migrations/hypertable-settings.ts";
import { migrate } from "../../../migrations/migrate.ts";
import type { Phase } from "../../../migrations/migration-files.ts";
import type { MigrationContext } from "../../../migrations/timescale.ts";
import type { Workload } from "../../../stacks/workload.ts";
import type { ScratchDatabase, ScratchServer } from "./scratch-server.ts";

/** What a hypertable takes on disk. */
export interface TableSize {
  rows: number;
  chunks: number;
  /** Bytes with keys, indexes and TOAST. */
  bytes: number;
}

/** What one variant cost. */
export interface MeasuredLoad {
  /** Rows, keys and aggregates; `columnstoreMs` more for what is packed afterwards. */
  loadMs: number;
  columnstoreMs: number;
  sizes: Map<string, TableSize>;
}

/** What is loaded, and where. */
export interface LoadArgs {
  workload: Workload;
  /** A file that nobody writes to. */
  source: string;
  server: ScratchServer;
  database: ScratchDatabase;
  /** What stands in place of what the migrations declare, as a stack's config sets it. */
  settings: Record<string, HypertableSettings>;
  /** The hypertables. */
  tables: string[];
  folder: string;
  signal: AbortSignal;
}

/** Migrates and loads a database as an up does. */
export async function measureLoad(args: LoadArgs): Promise<MeasuredLoad> {
  const { workload, server, database, tables, signal } = args;
  const { migrationsDir: workloadDir } = workload;
  const hypertables = merged(workload.context.hypertables ?? {}, args.settings);
  const context: MigrationContext = { ...workload.context, edition: server.edition, hypertables };
  const apply = (phase: Phase) => migrate({ target: database.owner, workloadDir, phase, context }, () => {});
  await apply("before-load");
  await server.settle();
  signal.throwIfAborted();
  const ages = await columnstoreAges(workloadDir, context);
  const start = performance.now();
  await runLoad({
    ...{ workload: workload.name, loader: workload.loader, source: args.source, signal },
    copyPath: join(args.folder, "copy.db"),
    target: database.loader,
    // What does not fit is the load's concern; here it is left out.
    maxRejects: "100%",
    columnstoreAfter: async () => ages,
  });
  await apply("after-load");
  const loadMs = performance.now() - start;
  signal.throwIfAborted();
  return asOwner(database, async (client) => {
    const packing = performance.now();
    if (server.edition === "community") {
      for (const [table, age] of Object.entries(ages)) await pack(client, table, age);
    }
    const columnstoreMs = performance.now() - packing;
    await client.query("ANALYZE");
    const sizes = new Map<string, TableSize>();
    for (const table of tables) sizes.set(table, await sizeOf(client, table));
    return { loadMs, columnstoreMs, sizes };
  });
}

function merged(
  before: Record<string, HypertableSettings>,
  after: Record<string, HypertableSettings>,
): Record<string, HypertableSettings> {
  const tables = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries([...tables].map((table) => [table, { ...before[table], ...after[table] }]));
}

/** Packs what the policy would: chunks that ended that long ago. */
async function pack(client: pg.ClientBase, table: string, age: string): Promise<void> {
  await client.query(
    `SELECT compress_chunk(chunk, if_not_compressed => true)
     FROM show_chunks($1::regclass, older_than => current_timestamp - $2::interval) AS chunk`,
    [quoteIdentifier(table), age],
  );
}

async function sizeOf(client: pg.ClientBase, table: string): Promise<TableSize> {
  const name = quoteIdentifier(table);
  const { rows } = await client.query<{ rows: string; chunks: string; bytes: string }>(
    `SELECT (SELECT count(*) FROM ${name}) AS rows, (SELECT count(*) FROM show_chunks($1::regclass)) AS chunks,
       hypertable_size($1::regclass) AS bytes`,
    [name],
  );
  const [found] = rows;
  return { rows: Number(found?.rows), chunks: Number(found?.chunks), bytes: Number(found?.bytes) };
}

async function asOwner<T>({ owner }: ScratchDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(owner, "advise");
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
