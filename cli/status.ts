import { readdirSync, readFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { connect } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { containerStates } from "../stacks/platforms/docker/container-state.ts";
import { secondsAlive } from "../stacks/platforms/native/process.ts";
import { externalConnection, isExternal } from "./external-stack.ts";
import { type StackService, stackContainers, stackServices } from "./stack-services.ts";

/** One service, as `timelift status --json` prints it. Sizes in bytes; null where it does not run, or nothing tells. */
interface ServiceStatus {
  service: string;
  /**
   * `running` or `stopped`; of a container also what its health check says, or `missing`; a database of others `answers`,
   * or gives `no answer`.
   */
  state: string;
  pid: number | null;
  port: number;
  version: string;
  origin: string;
  uptimeSeconds: number | null;
  memoryBytes: number | null;
  /** Null for a container, whose volume is the engine's. */
  dataBytes: number | null;
}

/** `timelift status [--json]`: what runs, where, since when, and how large it is. Starts nothing. */
export function statusCommand(): Command {
  return new Command("status")
    .description("What runs, where, since when, and how large it is.")
    .option("--stack <name>", "the stack", "dev")
    .option("--json", "one JSON array instead of a table")
    .action(async ({ stack, json }: { stack: string; json?: boolean }) => {
      const containers = await containerStatuses(stack);
      const known = new Set<string>(containers.map(({ service }) => service));
      if (isExternal(stack)) known.add("timescaledb");
      const processes = stackServices(stack).filter(({ folder }) => !known.has(folder.name));
      const statuses = [
        ...(isExternal(stack) ? [await externalStatus(stack)] : []),
        ...(await Promise.all(processes.map(statusOf))),
        ...containers,
      ];
      if (json) console.log(JSON.stringify(statuses, null, 2));
      else console.log(statuses.length === 0 ? `stack ${stack} has no services` : table(statuses));
    });
}

async function statusOf({ folder, record }: StackService): Promise<ServiceStatus> {
  const running = folder.process;
  return {
    service: folder.name,
    state: running ? "running" : "stopped",
    pid: running?.pid ?? null,
    port: record.declaration.port,
    version: record.version,
    origin: record.origin,
    uptimeSeconds: running ? Math.round(secondsAlive(running)) : null,
    memoryBytes: running ? memoryOf(running.pid) : null,
    dataBytes: await sizeOf(folder.data),
  };
}

/** How long an external database may take to answer, in milliseconds. */
const patienceMs = 5_000;

/** What a database of others says of itself; where it does not answer, why stands on stderr. */
async function externalStatus(stack: string): Promise<ServiceStatus> {
  const connection = await externalConnection(stack, "timelift_readonly");
  const at = {
    service: "timescaledb",
    pid: null,
    port: connection.port,
    origin: connection.host,
    memoryBytes: null,
  };
  try {
    const client = await connect(connection, "status", { patienceMs });
    try {
      const { rows } = await client.query<{ version: string; uptimeSeconds: number; dataBytes: number }>(
        `SELECT coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), '-') AS version,
           extract(epoch FROM now() - pg_postmaster_start_time())::int AS "uptimeSeconds",
           pg_database_size(current_database())::float8 AS "dataBytes"`,
      );
      return { ...at, state: "answers", ...(rows[0] as (typeof rows)[0]) };
    } finally {
      await client.end();
    }
  } catch (error) {
    if (!(error instanceof TimeliftError)) throw error;
    console.error(error.message);
    return { ...at, state: "no answer", version: "-", uptimeSeconds: null, dataBytes: null };
  }
}

async function containerStatuses(stack: string): Promise<ServiceStatus[]> {
  const records = stackContainers(stack);
  const states = await containerStates(records);
  return records.map(({ declaration: { name, port }, container, version }, index) => ({
    service: name,
    ...(states[index] ?? { state: "missing", pid: null, uptimeSeconds: null }),
    port,
    version,
    origin: `container ${container}`,
    memoryBytes: null,
    dataBytes: null,
  }));
}

/** Memory of a process and all below it; what several share (PostgreSQL's buffers) is counted once. */
function memoryOf(root: number): number {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const parent = Number(/\) \S (\d+)/.exec(read(`/proc/${name}/stat`))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const family = [root];
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return family.reduce((sum, pid) => sum + proportionalSize(pid), 0);
}

function proportionalSize(pid: number): number {
  return 1024 * Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Disk space that a folder takes, in bytes. */
async function sizeOf(path: string): Promise<number> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.blocks * 512;
  const names = await readdir(path).catch(() => []);
  const sizes = await Promise.all(names.map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function table(statuses: ServiceStatus[]): string {
  const header = ["service", "state", "pid", "port", "version", "from", "up", "memory", "data"];
  const lines = statuses.map((each) => [
    each.service,
    each.state,
    each.pid?.toString() ?? "-",
    each.port.toString(),
    each.version,
    each.origin,
    each.uptimeSeconds === null ? "-" : duration(each.uptimeSeconds),
    each.memoryBytes === null ? "-" : megabytes(each.memoryBytes),
    each.dataBytes === null ? "-" : megabytes(each.dataBytes),
  ]);
  const rows = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
