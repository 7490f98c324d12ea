import { readdirSync, readFileSync } from "node:fs";

/** What a process and everything that it started have used. */
export interface TreeUsage {
  /** Milliseconds of processor time, user and system, of ended and waited-for children too. */
  cpuMs: number;
  /** Memory in use now, summed over the processes; pages that two of them share count twice. */
  memoryMb: number;
  /** The most that any one of them has used so far. */
  largestPeakMb: number;
}

/** Linux shows ticks to programs at 100 a second on every architecture. */
const msPerTick = 10;

/** Adds up a process and its descendants, as /proc shows them now. Those that end meanwhile are left out. */
export function readTree(root: number): TreeUsage {
  const usage = { cpuMs: 0, memoryMb: 0, largestPeakMb: 0 };
  for (const pid of descendants(root)) {
    const status = read(`/proc/${pid}/status`);
    usage.memoryMb += megabytes(status, "VmRSS");
    usage.largestPeakMb = Math.max(usage.largestPeakMb, megabytes(status, "VmHWM"));
    const { own, children } = ticks(read(`/proc/${pid}/stat`));
    usage.cpuMs += (own + children) * msPerTick;
  }
  return usage;
}

/** Milliseconds that this process's children have used, of those that have ended. */
export function endedChildrenMs(): number {
  return ticks(read("/proc/self/stat")).children * msPerTick;
}

function descendants(root: number): number[] {
  const found = [root];
  for (let at = 0; at < found.length; at++) {
    const tasks = `/proc/${found[at]}/task`;
    for (const thread of threadsOf(tasks)) {
      const children = read(`${tasks}/${thread}/children`).trim();
      if (children !== "") found.push(...children.split(" ").map(Number));
    }
  }
  return found;
}

function ticks(stat: string): { own: number; children: number } {
  // The command's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: user + system, children: childUser + childSystem };
}

function megabytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
}

function threadsOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
