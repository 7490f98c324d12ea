import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { ContainerRecord } from "./container-record.ts";
import { askEngine, type EngineAddress } from "./engine.ts";

/** What an engine says of a container. */
export interface ContainerState {
  /** Docker's own word, and what the health check says: `running (healthy)`, `exited`; `missing` for none. */
  state: string;
  pid: number | null;
  uptimeSeconds: number | null;
}

interface Inspected {
  Name: string;
  State: { Status: string; Pid: number; StartedAt: string; Health?: { Status: string } };
}

/** The state of each container, in the same order, as its engine knows it. */
export function containerStates(records: ContainerRecord[]): Promise<ContainerState[]> {
  return Promise.all(records.map(({ engine, container }) => stateOf(engine, container)));
}

/**
 * Throws unless a container's health check is answered. An engine that cannot be asked from here, for want of the docker
 * command, is believed.
 */
export async function requireHealthy(engine: EngineAddress, container: string): Promise<void> {
  try {
    const { state } = await stateOf(engine, container);
    if (state !== "running (healthy)") throw new Error(`container ${container} is ${state}`);
  } catch (error) {
    if (!(error instanceof TimeliftError && error.code === "docker-missing")) throw error;
  }
}

async function stateOf(engine: EngineAddress, container: string): Promise<ContainerState> {
  // Unlike `inspect`, `ps` is no error where there is none.
  const filter = ["--filter", `name=^/${container}$`];
  const id = (await askEngine(engine, ["ps", "--all", "--quiet", ...filter])).trim();
  if (id === "") return { state: "missing", pid: null, uptimeSeconds: null };
  const [found] = JSON.parse(await askEngine(engine, ["inspect", id])) as Inspected[];
  const { Status = "missing", Pid = 0, StartedAt = "", Health } = found?.State ?? {};
  const isRunning = Status === "running";
  return {
    state: Health && isRunning ? `${Status} (${Health.Status})` : Status,
    pid: isRunning ? Pid : null,
    uptimeSeconds: isRunning ? Math.round((Date.now() - Date.parse(StartedAt)) / 1000) : null,
  };
}
