import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { Edition } from "../../../migrations/edition.ts";
import type { Workload } from "../../../stacks/workload.ts";
import { RunFolder } from "../../bench/run-folder.ts";
import type { WorkloadAdvice } from "../advice.ts";
import type { AdvisedWorkload } from "../advise-workload.ts";
import { applyMeasurement } from "./apply-measurement.ts";
import { measureChoices } from "./measure-choices.ts";
import { communityServer, ownServer, type ScratchServer } from "./scratch-server.ts";

/** An advice that is to be measured. */
export interface MeasureWorkloadArgs {
  workload: Workload;
  advised: AdvisedWorkload;
  /** The SQLite file as the user names it, and the path at which that state of it was read. */
  source: string;
  path: string;
  edition: Edition;
  /** Rows of each hypertable that are loaded. */
  sampleRows: number;
  /** Receives a line of progress. */
  log: (line: string) => void;
}

/**
 * Measures an advice on a server made for it: of the machine's own TimescaleDB, or for the Community edition in
 * databases of the server that TIMELIFT_COMMUNITY_URL names. Ctrl-C takes everything away that was started.
 * @throws TimeliftError `advise-stopped`, `bench-space`, and whatever starting a service throws
 */
export async function measureWorkload(args: MeasureWorkloadArgs): Promise<WorkloadAdvice> {
  const { advised, path, sampleRows, log } = args;
  const abort = new AbortController();
  const stop = (name: NodeJS.Signals) => abort.abort(stopped(name));
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, stop);
  const rows = advised.facts.map(({ source }) => Math.min(source?.survey.rows ?? 0, sampleRows));
  const folder = await RunFolder.make(3 * rows.reduce((sum, each) => sum + each, 0));
  let server: ScratchServer | null = null;
  try {
    server = await serverFor(args.edition, folder.serverState, log);
    const isCopy = path !== args.source;
    const { signal } = abort;
    const { workload } = args;
    const measurement = await measureChoices({
      ...{ workload, advised, path, isCopy, sampleRows, server, folder: folder.path, signal, log },
    });
    return applyMeasurement(advised.advice, measurement);
  } catch (error) {
    abort.signal.throwIfAborted();
    throw error;
  } finally {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, stop);
    await server?.clear();
    await folder.remove();
  }
}

async function serverFor(
  edition: Edition,
  stateDir: string,
  log: (line: string) => void,
): Promise<ScratchServer> {
  const url = process.env.TIMELIFT_COMMUNITY_URL;
  const given = edition === "community" && url ? await communityServer(url) : null;
  if (given) return given;
  log("starting a server for the measurement");
  return ownServer(stateDir, log);
}

function stopped(name: string): TimeliftError {
  return new TimeliftError({
    code: "advise-stopped",
    subject: "timelift advise",
    problem: `it was stopped (${name}) before its figures were complete; server and files are gone`,
    remedy: "run it again, with fewer rows if it takes too long (--sample)",
  });
}
