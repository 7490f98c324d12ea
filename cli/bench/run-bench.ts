import { existsSync } from "node:fs";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { compareApplication } from "./application.ts";
import { type BenchResult, leftOut, type Measure } from "./bench-result.ts";
import { BenchServer } from "./bench-server.ts";
import { benchSource, benchSourcePath } from "./bench-source.ts";
import { addKey } from "./bench-workload.ts";
import { measureColumnstore } from "./columnstore.ts";
import { type Arena, type Contender, type ContenderName, contenderNames } from "./contender.ts";
import { floor } from "./floor-contender.ts";
import { grownSource, loadGrown, loadUnchanged, runEmpty, validate } from "./follow-ups.ts";
import { describeMachine } from "./machine.ts";
import { Meter } from "./meter.ts";
import { pgloader } from "./pgloader-contender.ts";
import { pipe } from "./pipe-contender.ts";
import { ratiosOf } from "./ratios.ts";
import { RunFolder } from "./run-folder.ts";
import { sling } from "./sling-contender.ts";
import { measureLoad, timelift } from "./timelift-contender.ts";

/** What is measured, and how often. */
export interface BenchArgs {
  /** Rows of price_history in the source. */
  rows: number;
  seed: number;
  /** Rounds; in each, every contender has one turn. */
  rounds: number;
  only: Measure[];
  /** Leave server and files after the end; the next bench removes them. */
  keep: boolean;
  /** Stops the bench; it takes everything away that it has started. */
  signal: AbortSignal;
  /** Receives a line of progress. */
  log: (line: string) => void;
}

const contenders: Record<ContenderName, Contender> = { timelift, floor, pgloader, sling, pipe };
/** These are measured on what timelift has loaded, or divided by its time. */
const needTimelift: Measure[] = ["validation", "unchanged", "incremental"];
const cancelMs = 500;
/** A load of nothing takes so short that one run a round would say little. */
const shortRuns = 3;

/**
 * Runs a whole bench on a server of its own.
 * @throws TimeliftError `bench-*`, and whatever starting a service throws
 */
export async function runBench(args: BenchArgs): Promise<BenchResult> {
  const { rows, seed, signal, log } = args;
  const folder = await RunFolder.make(rows);
  let cancelling: NodeJS.Timeout | undefined;
  try {
    if (!existsSync(benchSourcePath(rows, seed))) {
      log(`source of ${rows.toLocaleString("en-US")} rows: made once, about ${Math.ceil(rows / 250_000)} s`);
    }
    const source = benchSource(rows, seed);
    signal.throwIfAborted();
    const server = await BenchServer.start(folder.serverState, log);
    signal.addEventListener("abort", () => {
      cancelling = setInterval(() => void server.cancelQueries().catch(() => {}), cancelMs);
    });
    const result = await measureAll(args, { server, source, folder: folder.path, signal });
    if (args.keep) log(`kept until the next bench: ${folder.path}, ${server.address}`);
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(cancelling);
    if (!args.keep || signal.aborted) await folder.remove();
  }
}

async function measureAll(args: BenchArgs, arena: Arena): Promise<BenchResult> {
  const { rows, seed, rounds, log, signal } = args;
  const { server, source } = arena;
  const chosen = new Set<Measure>(args.only);
  if (needTimelift.some((name) => chosen.has(name))) chosen.add("timelift");
  // Early, so that by its turn nobody has written to it for a while.
  if (chosen.has("incremental")) grownSource(arena);
  const meter = new Meter(server, log);
  const settings = await server.settings();
  const { present, versions } = await findContenders(chosen, meter);
  const machine = await server.asSuperuser("bench", (client) =>
    describeMachine(client, arena.folder, versions),
  );

  const seconds = present.reduce(
    (sum, { secondsPerMillion }) => sum + (secondsPerMillion * rows) / 1e6 + 3,
    0,
  );
  log(
    `${rounds} round${rounds === 1 ? "" : "s"} of ${present.map(({ name }) => name).join(", ")}: about ${clock(seconds * rounds)}`,
  );
  for (let round = 1; round <= rounds; round++) {
    for (const contender of present) await turn(contender, round, chosen, arena, meter, args);
  }
  const application = chosen.has("application") ? await withLoaded(arena, log) : leftOut;
  const columnstore = await communityOf(chosen, args, arena);
  signal.throwIfAborted();

  const result = {
    rows,
    seed,
    rounds,
    sourceBytes: source.bytes,
    measuredAt: new Date().toISOString(),
    machine,
    settings,
    contenders: Object.fromEntries(
      contenderNames.map((name) => [name, meter.measured(name, contenders[name].title)]),
    ) as BenchResult["contenders"],
    validation: meter.measured("validation", "timelift validate"),
    unchanged: meter.measured("unchanged", "timelift load, unchanged source"),
    emptyRun: meter.measured("empty run", "timelift --help"),
    incremental: meter.measured("incremental", "timelift load, 1 % new rows"),
    application,
    columnstore,
  };
  return { ...result, ratios: ratiosOf(result) };
}

/** The chosen contenders that can run here; why the others cannot is noted. */
async function findContenders(chosen: Set<Measure>, meter: Meter) {
  const present: Contender[] = [];
  const versions: Record<string, string> = {};
  for (const name of contenderNames.filter((each) => chosen.has(each))) {
    const found = await contenders[name].version();
    if ("missing" in found) meter.skip(name, found.missing);
    else {
      const { program } = contenders[name];
      present.push(contenders[name]);
      if (program) versions[program] = found.version;
    }
  }
  return { present, versions };
}

/** One contender's turn, and what belongs to it. */
async function turn(
  contender: Contender,
  round: number,
  chosen: Set<Measure>,
  arena: Arena,
  meter: Meter,
  args: BenchArgs,
): Promise<void> {
  const { server, source, signal } = arena;
  const { name, secondsPerMillion } = contender;
  if (meter.isSkipped(name)) return;
  signal.throwIfAborted();
  const expected = (secondsPerMillion * source.rows) / 1e6 + 1;
  const label = (what: string) => `round ${round} of ${args.rounds}: ${what}`;
  const database = await server.freshDatabase(`bench_${name}`);
  try {
    await contender.prepare(arena, database);
    await meter.take(name, label(name), expected, () => contender.run(arena, database));
  } catch (error) {
    if (!(error instanceof TimeliftError) || contender.isOurs || signal.aborted) throw error;
    meter.skip(name, `it failed: ${error.message.split("\n").slice(0, 4).join(" ")}`);
  }
  if (name === "timelift") {
    if (chosen.has("validation")) {
      await meter.take("validation", label("validation"), expected / 2, () => validate(arena, database));
    }
    for (let run = 1; run <= shortRuns && chosen.has("unchanged"); run++) {
      await meter.take("empty run", label("empty run"), 0.2, () => runEmpty(arena));
      await meter.take("unchanged", label("unchanged"), 0.5, () => loadUnchanged(arena, database));
    }
    if (chosen.has("incremental")) {
      await meter.take("incremental", label("incremental"), expected / 10, () => loadGrown(arena, database));
    }
  }
  if (!args.keep) await server.drop(database.name);
}

/** The application's comparison, on rows loaded for it. */
async function withLoaded(arena: Arena, log: (line: string) => void) {
  log("application: loading, then queries and inserts on both engines, about a minute and a half");
  const database = await arena.server.freshDatabase("bench_application");
  await timelift.prepare(arena, database);
  await measureLoad(arena, database, arena.source.path);
  await addKey(database.owner);
  return compareApplication(arena, database);
}

async function communityOf(chosen: Set<Measure>, args: BenchArgs, arena: Arena) {
  if (!chosen.has("columnstore")) return leftOut;
  const url = process.env.TIMELIFT_COMMUNITY_URL;
  if (!url) return { skipped: "TIMELIFT_COMMUNITY_URL names no server with the Community edition" };
  const { rounds, log, signal } = args;
  return measureColumnstore({ url, source: arena.source, folder: arena.folder, rounds, log, signal });
}

function clock(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
