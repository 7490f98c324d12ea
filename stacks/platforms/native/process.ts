import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that cannot be mistaken for another that got its number later. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between boot and the process's start, as the kernel counts them. */
  startTicks: string;
  bootId: string;
}

/** What to run, and where it leaves its traces. */
export interface Launch {
  command: string[];
  env: Record<string, string>;
  /** The file that standard output and error are appended to. */
  logFile: string;
  /** The file that will name the process. */
  pidFile: string;
  /** The same file as the process sees it. */
  pidFileInside: string;
  /** Command and leading arguments of the sandbox; empty for none. */
  prefix: string[];
}

/**
 * Writes its own entry of the process table to the pid file and then becomes the service. So there is no moment
 * in which the service runs and nothing says so, even if timelift is killed.
 */
const announce = [
  "umask 077",
  'read -r entry < "/proc/$$/stat"',
  "read -r boot < /proc/sys/kernel/random/boot_id",
  'printf "%s\\n%s\\n" "$entry" "$boot" > "$1"',
  "shift",
  'exec "$@"',
].join(" && ");

/**
 * Starts a service in a session of its own: neither Ctrl-C nor the end of timelift reaches it. Returns once it
 * has announced itself, or undefined if it ended before (its log says why).
 */
export async function launch(request: Launch): Promise<ProcessIdentity | undefined> {
  rmSync(request.pidFile, { force: true });
  const output = openSync(request.logFile, "a", 0o600);
  const [file, ...args] = [
    ...request.prefix,
    ...["/bin/sh", "-c", announce, "sh", request.pidFileInside],
    ...request.command,
  ];
  const child = spawn(file as string, args, {
    cwd: "/",
    env: request.env,
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  const ended = new Promise<void>((resolve) => child.once("exit", resolve).once("error", () => resolve()));
  return announced(request.pidFile, child, ended);
}

async function announced(
  pidFile: string,
  child: ChildProcess,
  ended: Promise<void>,
): Promise<ProcessIdentity | undefined> {
  for (;;) {
    const identity = readPidFile(pidFile);
    if (identity !== undefined) return identity;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return undefined;
    await Promise.race([ended, sleep(5)]);
  }
}

/** The process that a pid file names, whether it lives or not. */
export function readPidFile(pidFile: string): ProcessIdentity | undefined {
  const text = read(pidFile);
  if (text === undefined || !text.endsWith("\n")) return undefined;
  const [line = "", bootId] = text.trimEnd().split("\n");
  const entry = parseEntry(line);
  if (entry === undefined || bootId === undefined) return undefined;
  return { pid: entry.pid, startTicks: entry.startTicks, bootId };
}

/** Whether the very process is there; a zombie, which nobody has buried yet, is not. Reads one small file. */
export function isAlive(identity: ProcessIdentity): boolean {
  const entry = parseEntry(read(`/proc/${identity.pid}/stat`) ?? "");
  return (
    entry !== undefined &&
    entry.state !== "Z" &&
    entry.state !== "X" &&
    entry.startTicks === identity.startTicks &&
    identity.bootId === thisBoot()
  );
}

/** When the process started, in seconds since then. */
export function secondsAlive(identity: ProcessIdentity): number {
  const uptime = Number((read("/proc/uptime") ?? "0").split(" ")[0]);
  // Linux shows ticks to programs at 100 a second on every architecture.
  return Math.max(0, uptime - Number(identity.startTicks) / 100);
}

/** Signals that very process. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Ends a process: `polite` first, SIGKILL to it alone when `graceSeconds` have passed. Returns when it is gone,
 * with the sandbox's watcher, which ends when the service does.
 */
export async function endProcess(
  identity: ProcessIdentity,
  polite: NodeJS.Signals,
  graceSeconds: number,
): Promise<void> {
  const watcher = sandboxWatcher(identity);
  signal(identity, polite);
  if (!(await gone(identity, graceSeconds))) {
    signal(identity, "SIGKILL");
    await gone(identity, 10);
  }
  if (watcher !== undefined) await gone(watcher, 10);
}

/** Waits until the process is gone; false if it is still there after `seconds`. */
export async function gone(identity: ProcessIdentity, seconds: number): Promise<boolean> {
  for (const deadline = Date.now() + seconds * 1000; isAlive(identity); ) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

/** The process that has this number now. */
export function identify(pid: number): ProcessIdentity | undefined {
  const entry = parseEntry(read(`/proc/${pid}/stat`) ?? "");
  return entry && { pid, startTicks: entry.startTicks, bootId: thisBoot() };
}

/** The process that started this one, or took it over; undefined where /proc does not tell. */
export function parentOf(pid: number): number | undefined {
  return parseEntry(read(`/proc/${pid}/stat`) ?? "")?.parent;
}

/** The bubblewrap process above the service, if there is one. */
function sandboxWatcher(identity: ProcessIdentity): ProcessIdentity | undefined {
  const parent = parentOf(identity.pid);
  const isWatcher = parent !== undefined && /\bbwrap\0/.test(read(`/proc/${parent}/cmdline`) ?? "");
  return isWatcher ? identify(parent) : undefined;
}

/** One line of /proc/<pid>/stat; the command's name, in parentheses, may hold anything. */
function parseEntry(line: string) {
  const end = line.lastIndexOf(")");
  const pid = Number.parseInt(line, 10);
  const fields = line.slice(end + 2).split(" ");
  const [state, parent] = fields;
  const startTicks = fields[19];
  if (end < 0 || Number.isNaN(pid) || state === undefined || startTicks === undefined) return undefined;
  return { pid, state, parent: Number(parent), startTicks };
}

function thisBoot(): string {
  return (read("/proc/sys/kernel/random/boot_id") ?? "").trim();
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
