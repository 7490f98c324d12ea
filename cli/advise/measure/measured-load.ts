import { join } from "node:path";
import type pg from "pg";
import { connect } from "../../../loaders/connection.ts";
import { quoteIdentifier } from "../../../loaders/identifier.ts";
import { runLoad } from "../../../loaders/run-load.ts";
import { migrate } from "../../../migrations/migrate.ts";
import type { Workload } from "../../../stacks/workload.ts";
import type { ScratchDatabase, ScratchServer } from "./scratch-server.ts";

/** How a hypertable is laid out in one of the variants that are compared. */
export interface Layout {
  table: string;
  /** As PostgreSQL's interval reads it. */
  chunk: string;
  /** Null where chunks stay rows. */
  columnstore: { segmentBy: string[]; orderBy: string[]; after: string } | null;
}

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
  /** Null for the declared ones, untouched. */
  layouts: Layout[];
  /** Whether the layouts take the place of what the migrations declare. */
  replace: boolean;
  folder: string;
  signal: AbortSignal;
}

/** Migrates and loads a database as an up does, with other layouts of its hypertables where asked. */
export async function measureLoad(args: LoadArgs): Promise<MeasuredLoad> {
  const { workload, server, database, layouts, signal } = args;
  const context = { ...workload.context, edition: server.edition };
  const apply = (phase: "before-load" | "after-load") =>
    migrate({ target: database.owner, workloadDir: workload.migrationsDir, phase, context }, () => {});
  await apply("before-load");
  if (args.replace) {
    await asOwner(database, async (client) => {
      for (const layout of layouts) await lay(client, layout, server.edition === "community");
    });
  }
  await server.settle();
  signal.throwIfAborted();
  const start = performance.now();
  await runLoad({
    ...{ workload: workload.name, loader: workload.loader, source: args.source, signal },
    copyPath: join(args.folder, "copy.db"),
    target: database.loader,
    // What does not fit is the load's concern; here it is left out.
    maxRejects: "100%",
    columnstoreAfter: async () =>
      Object.fromEntries(
        layouts.flatMap(({ table, columnstore }) => (columnstore ? [[table, columnstore.after]] : [])),
      ),
  });
  await apply("after-load");
  const loadMs = performance.now() - start;
  signal.throwIfAborted();
  return asOwner(database, async (client) => {
    const packing = performance.now();
    if (server.edition === "community") for (const layout of layouts) await pack(client, layout);
    const columnstoreMs = performance.now() - packing;
    await client.query("ANALYZE");
    const sizes = new Map<string, TableSize>();
    for (const { table } of layouts) sizes.set(table, await sizeOf(client, table));
    return { loadMs, columnstoreMs, sizes };
  });
}

/** Lays an empty hypertable out. */
async function lay(
  client: pg.ClientBase,
  { table, chunk, columnstore }: Layout,
  hasColumnstore: boolean,
): Promise<void> {
  const name = quoteIdentifier(table);
  await client.query("SELECT set_chunk_time_interval($1::regclass, $2::interval)", [name, chunk]);
  if (!hasColumnstore || columnstore === null) return;
  const { segmentBy, orderBy } = columnstore;
  const order = orderBy.map((column) => {
    const [of = column, ...direction] = column.split(" ");
    return [quoteIdentifier(of), ...direction].join(" ");
  });
  await client.query(`ALTER TABLE ${name} SET (timescaledb.enable_columnstore = true,
    timescaledb.segmentby = ${literal(segmentBy.map(quoteIdentifier))}, timescaledb.orderby = ${literal(order)})`);
}

/** Packs what the policy would: chunks that ended that long ago. */
async function pack(client: pg.ClientBase, { table, columnstore }: Layout): Promise<void> {
  if (columnstore === null) return;
  await client.query(
    `SELECT compress_chunk(chunk, if_not_compressed => true)
     FROM show_chunks($1::regclass, older_than => current_timestamp - $2::interval) AS chunk`,
    [quoteIdentifier(table), columnstore.after],
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

function literal(names: string[]): string {
  return `'${names.join(", ").replaceAll("'", "''")}'`;
}
