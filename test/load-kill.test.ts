import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { LoaderDefinition } from "../loaders/define-loader.ts";
import { Ledger } from "../loaders/ledger.ts";
import { runLoad } from "../loaders/run-load.ts";
import { scanSource } from "../loaders/source/scan-source.ts";
import { insertSource } from "./insert-source.ts";
import { KillServer } from "./kill-server.ts";
import { content, KillWorkload, tables } from "./kill-workload.ts";
import { KilledRun } from "./killed-run.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/**
 * Ends the loader, or what it depends on, at random points of its work, resumes, and compares the content with that of
 * a target which was filled by plain INSERTs. TIMELIFT_SEED repeats a run's points.
 */
const seed = Number(process.env.TIMELIFT_SEED ?? Math.floor(Math.random() * 2 ** 31));
const points = 50;
const partRows = 1000;

/** What is ended; each in earnest (a thread: see `kill-target.ts`). */
const kinds = ["loader", "thread", "postmaster", "backend", "cut", "terminate"] as const;
type Kind = (typeof kinds)[number];

/** What goes on: rows into an empty target and the keys after them; a changed source merged into a loaded target. */
const works = ["first", "merge"] as const;
type Work = (typeof works)[number];

interface Point {
  number: number;
  kind: Kind;
  work: Work;
  /** Where in the work, 0 to 1. */
  at: number;
  /** Whether `at` counts from the last row to the last key only. */
  keys: boolean;
  /** Connections that write side by side. */
  workers: number;
  /** Whether the source was written to a moment ago, so that it is copied first. */
  copied: boolean;
}

/**
 * Two points of three lie in a first load, one in a merge; every sixth between rows and keys. A thread is at work while
 * rows are read, which is the first half.
 */
const random = randomNumbers(seed);
const plan: Point[] = Array.from({ length: points }, (_, i) => {
  const round = Math.floor(i / kinds.length);
  const kind = kinds[i % kinds.length] ?? "loader";
  const at = random() * (kind === "thread" ? 0.5 : 0.98);
  const keys = round % 3 === 2 && i % 2 === 0;
  const [workers, copied] = [random() < 0.5 ? 1 : 3, random() < 0.5];
  return { number: i + 1, kind, work: round % 3 === 1 ? "merge" : "first", at, keys, workers, copied };
});

const folder = mkdtempSync(join(tmpdir(), "timelift-kill-"));
const templates = { first: "kill_empty", merge: "kill_loaded" };
let server: KillServer;
let proxy: TcpProxy;
let workload: KillWorkload;
let loader: LoaderDefinition;
/** What the target has to hold in the end. */
const expected: Partial<Record<Work, string[]>> = {};
/** A run that nothing disturbs. */
const timelines: Partial<Record<Work, KilledRun["said"]>> = {};
const outcomes: { kind: Kind; work: Work; during: string; outcome: "survived" | "resumed" | "missed" }[] = [];

beforeAll(async () => {
  console.log(`TIMELIFT_SEED=${seed}`);
  workload = new KillWorkload(folder);
  loader = await workload.loader();
  server = await KillServer.start(folder);
  proxy = await TcpProxy.to(server.port);
  const makeTables = (database: string) =>
    workload.migrate(server.as("timelift_owner", database), "before-load");
  await server.makeTemplate(templates.first, () => makeTables(templates.first));
  await server.makeTemplate(templates.merge, async () => {
    await makeTables(templates.merge);
    await workHere(templates.merge, "first");
  });
  for (const work of works) {
    expected[work] = await insertedContent(work);
    const database = `undisturbed_${work}`;
    const run = await begin(database, { work, workers: 1, copied: false });
    const { code, log } = await run.end();
    expect(code, log).toBe(0);
    expect(await completeContent(database, work)).toEqual(expected[work]);
    timelines[work] = run.said;
    await server.dropDatabase(database);
  }
}, 300_000);

afterAll(async () => {
  proxy?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe(`ended at ${points} points and resumed, the content is the same`, () => {
  test.each(plan)("$number: $kind, $work, $workers at a time", async (point) => {
    const database = `point_${point.number}`;
    const run = await begin(database, point);
    onTestFinished(async ({ task }) => {
      // One that waits for ever shows what for.
      if (task.result?.state === "fail") console.log(run.log, await server.sessions(database));
      run.kill();
    });
    await run.reaches(momentOf(point));
    const during = run.lastSaid;
    const hit = !run.isDone && (await end(point.kind, run, database));
    await server.start();
    const { code, log } = await run.end();
    outcomes.push({ ...point, during, outcome: !hit ? "missed" : code === 0 ? "survived" : "resumed" });
    // The server may have answered above before it noticed that one of its processes was killed.
    await server.start();
    if (code !== 0) {
      await workHere(database, point.work).catch((error) => {
        throw new Error(`what was ended said:\n${log}`, { cause: error });
      });
    }
    expect(await completeContent(database, point.work), log).toEqual(expected[point.work]);
    await server.dropDatabase(database);
  });

  test("every kind hit work under way", () => {
    const rows = kinds.flatMap((kind) =>
      works.map((work) => {
        const of = outcomes.filter((each) => each.kind === kind && each.work === work);
        const count = (outcome: string) => of.filter((each) => each.outcome === outcome).length;
        return {
          kind,
          work,
          survived: count("survived"),
          resumed: count("resumed"),
          missed: count("missed"),
        };
      }),
    );
    console.table(rows);
    console.log(`after the words: ${[...new Set(outcomes.map(({ during }) => during))].join(", ")}`);
    expect(outcomes).toHaveLength(points);
    const hits = outcomes.filter(({ outcome }) => outcome !== "missed");
    expect(kinds.filter((kind) => !hits.some((each) => each.kind === kind))).toEqual([]);
    expect(works.filter((work) => !hits.some((each) => each.work === work))).toEqual([]);
    expect(outcomes.some(({ outcome }) => outcome === "resumed")).toBe(true);
  });
});

/** Ends something in earnest; false where there was nothing (any more) to end. */
async function end(kind: Kind, run: KilledRun, database: string): Promise<boolean> {
  switch (kind) {
    case "loader":
      return run.kill();
    case "thread":
      return run.endThread();
    case "cut":
      return proxy.cut() > 0;
    case "postmaster":
      return process.kill(server.postmaster, "SIGKILL");
    case "backend":
      return server.onBackend(database, (pid) => process.kill(pid, "SIGKILL"));
    case "terminate":
      return server.onBackend(database, (pid, client) =>
        client.query("SELECT pg_terminate_backend($1)", [pid]),
      );
  }
}

/** Where a point lies on the timeline of the undisturbed run: after how many words, and how many ms later. */
function momentOf({ work, at, keys }: Point): { words: number; ms: number } {
  const timeline = timelines[work] ?? [];
  const start = keys ? (timeline.find(({ kind }) => kind === "rows")?.ms ?? 0) : 0;
  const moment = start + at * ((timeline.at(-1)?.ms ?? 0) - start);
  const before = timeline.findLastIndex(({ ms }) => ms <= moment);
  return { words: before + 1, ms: moment - (timeline[before]?.ms ?? 0) };
}

/** The content, where nothing but it is left of the work and the ledger knows all of it. */
async function completeContent(database: string, work: Work): Promise<string[]> {
  return asOwner(database, async (client) => {
    const runs = await client.query(
      "SELECT finished_at IS NOT NULL AS finished FROM timelift.load_run ORDER BY id DESC LIMIT 1",
    );
    expect(runs.rows).toEqual([{ finished: true }]);
    const { rows } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    expect(rows.map(({ name }) => name)).toEqual(tables.toSorted());
    const keys = await client.query(
      "SELECT FROM pg_constraint WHERE contype = 'p' AND conrelid = 'ticks'::regclass",
    );
    expect(keys.rowCount).toBe(1);
    const ledger = await Ledger.read(client, "shop");
    const previous = Object.fromEntries([...ledger].map(([table, { parts }]) => [table, parts]));
    const scan = await scanSource({ ...filesOf(database, work), loader, previous });
    expect(Object.values(scan.tables).map(({ change }) => change)).toEqual(tables.map(() => "unchanged"));
    return content(client);
  });
}

/** What plain INSERTs make of a source. */
async function insertedContent(work: Work): Promise<string[]> {
  const database = `reference_${work}`;
  await server.createDatabase(database, templates.first);
  const sums = await asOwner(database, async (client) => {
    await insertSource(workload.sources[work], loader, client);
    return content(client);
  });
  await server.dropDatabase(database);
  return sums;
}

/** Begins the work in a process of its own, in a fresh database; its connections lead through the proxy. */
async function begin(
  database: string,
  { work, workers, copied }: Pick<Point, "work" | "workers" | "copied">,
): Promise<KilledRun> {
  await server.createDatabase(database, templates[work]);
  const written = copied ? new Date() : new Date(0);
  utimesSync(workload.sources[work], written, written);
  const { loaderFile, migrations } = workload;
  const request = {
    ...filesOf(database, work),
    ...{ workload: "shop", loader: loaderFile, migrations, partRows, workers },
    target: { ...server.as("timelift_loader", database), port: proxy.port },
    owner: { ...server.as("timelift_owner", database), port: proxy.port },
  };
  return new KilledRun(request, join(folder, "compiled"));
}

/** The work in this process: how it is resumed. */
async function workHere(database: string, work: Work): Promise<void> {
  const target = server.as("timelift_loader", database);
  await runLoad({ ...filesOf(database, work), workload: "shop", loader, partRows, target });
  await workload.migrate(server.as("timelift_owner", database), "after-load");
}

function filesOf(database: string, work: Work): { source: string; copyPath: string } {
  return { source: workload.sources[work], copyPath: join(folder, "copies", `${database}.db`) };
}

async function asOwner<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(server.as("timelift_owner", database));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Numbers in [0, 1) that a seed gives again (mulberry32). */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
