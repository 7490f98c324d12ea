import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../loaders/connection.ts";
import type { LoadResult } from "../../loaders/load-result.ts";
import { copyPathIn } from "../../stacks/resources/source-folder.ts";
import type { LoadCommandRequest } from "../../stacks/resources/sqlite-load-provider.ts";
import { hypertableBytes } from "./application.ts";
import type { Measured, Skipped } from "./bench-result.ts";
import type { BenchSource } from "./bench-source.ts";
import { addKey, benchWorkload, makeTables } from "./bench-workload.ts";
import { CommunityServer, withClient } from "./community-server.ts";
import type { Run } from "./contender.ts";
import { medianRun } from "./median.ts";
import { requireRows } from "./require-rows.ts";
import { measureCommand } from "./timelift-command.ts";

/** On a server with the Community edition: the same rows in yearly chunks, as rows and in the columnstore. */
export interface ColumnstoreResult {
  /** TimescaleDB's version on that server. */
  version: string;
  rowstore: Measured;
  columnstore: Measured;
  /** Bytes of the hypertable at the end, with its key. */
  rowstoreBytes: number;
  columnstoreBytes: number;
}

export interface ColumnstoreArgs {
  /** A superuser's URL. */
  url: string;
  source: BenchSource;
  folder: string;
  rounds: number;
  signal: AbortSignal;
  log: (line: string) => void;
}

const forms = ["rowstore", "columnstore"] as const;
type Form = (typeof forms)[number];
const titles = {
  rowstore: "load to rows, yearly chunks",
  columnstore: "load to the columnstore, yearly chunks",
};

/** Loads the source by turns as rows and into the columnstore, each time into a database made for it. */
export async function measureColumnstore(args: ColumnstoreArgs): Promise<ColumnstoreResult | Skipped> {
  const server = new CommunityServer(args.url);
  const version = await server.version();
  if (version === undefined) return { skipped: "the server of TIMELIFT_COMMUNITY_URL has another edition" };
  const runs: Record<Form, Run[]> = { rowstore: [], columnstore: [] };
  const bytes = { rowstore: 0, columnstore: 0 };
  for (let round = 1; round <= args.rounds; round++) {
    for (const form of forms) {
      args.log(`round ${round} of ${args.rounds}: ${titles[form]}`);
      const measured = await server.withDatabase(`timelift_bench_${process.pid}`, (database) =>
        loadAs(form, args, database),
      );
      if (form === "columnstore" && measured.compressed === 0) {
        return { skipped: "the load left every chunk as rows" };
      }
      runs[form].push(measured.run);
      bytes[form] = measured.bytes;
    }
  }
  const measured = (form: Form): Measured => ({
    title: titles[form],
    median: medianRun(runs[form]),
    runs: runs[form],
  });
  return {
    version,
    rowstore: measured("rowstore"),
    columnstore: measured("columnstore"),
    rowstoreBytes: bytes.rowstore,
    columnstoreBytes: bytes.columnstore,
  };
}

async function loadAs(form: Form, { source, folder, signal }: ColumnstoreArgs, database: Connection) {
  const workload = benchWorkload({ chunk: "year", columnstore: form === "columnstore" });
  const state = join(folder, "community");
  rmSync(state, { recursive: true, force: true });
  await makeTables(database, workload);
  await withClient(database, (client) => client.query("CHECKPOINT"));
  const request: LoadCommandRequest = {
    workload,
    source: source.path,
    copyPath: copyPathIn(state),
    target: database,
  };
  const load = await measureCommand<LoadResult>("load", request, signal);
  requireRows(titles[form], load.result.rows, source.rows);
  const key = await addKey(database, workload);
  const { cpuMs, memoryMb, wallMs } = load;
  const run: Run = { wallMs: wallMs + key, cpuMs, memoryMb, serverCpuMs: null, steps: { load: wallMs, key } };
  return withClient(database, async (client) => {
    const { rows } = await client.query<{ compressed: string }>(
      "SELECT count(*) AS compressed FROM timescaledb_information.chunks WHERE is_compressed",
    );
    return { run, bytes: await hypertableBytes(client), compressed: Number(rows[0]?.compressed) };
  });
}
