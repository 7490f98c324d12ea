import { spawn } from "node:child_process";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { projectDir } from "../backend.ts";
import { endedChildrenMs, readTree } from "./process-tree.ts";

/** A program to run from its start to its end. */
export interface ProcessRequest {
  /** What to call it, for people. */
  name: string;
  command: string[];
  /** Added to this process's own environment; passwords go here. */
  env?: Record<string, string>;
  /** One line for stdin, which stays open; without it there is no stdin. */
  input?: string;
  /** Finds the reason of a failure in what the program printed, where it stands there rather than on stderr. */
  reason?: (stdout: string) => string | undefined;
  /** Ends the program and everything that it started. */
  signal: AbortSignal;
}

/** What a program took. */
export interface ProcessRun {
  wallMs: number;
  /** User and system time of the program and all that it started. */
  cpuMs: number;
  /**
   * The most memory that its processes had at one time, looked at every 50 ms; never less than the kernel's own record
   * of the largest of them.
   */
  memoryMb: number;
  stdout: string;
}

const sampleMs = 50;
const graceMs = 5000;
const wordsKept = 4000;

/**
 * Runs a program and measures it. One at a time: processor time is taken from what the kernel adds up for this process's
 * ended children.
 * @throws TimeliftError `bench-program` with the program's last words when it fails
 */
export async function measureProcess(request: ProcessRequest): Promise<ProcessRun> {
  const { name, command, env, input, reason, signal } = request;
  signal.throwIfAborted();
  const [file = "", ...args] = command;
  const cpuBefore = endedChildrenMs();
  const start = performance.now();
  const child = spawn(file, args, {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  let stdout = "";
  let words = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-wordsKept);
  });
  child.stdin?.on("error", () => {}).write(`${input}\n`);

  let memoryMb = 0;
  const sample = () => {
    if (child.pid === undefined) return;
    const usage = readTree(child.pid);
    memoryMb = Math.max(memoryMb, usage.memoryMb, usage.largestPeakMb);
  };
  const timer = setInterval(sample, sampleMs);
  const stop = () => endGroup(child.pid);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode, killed) => resolve(exitCode ?? killed ?? "?"));
    });
    const wallMs = performance.now() - start;
    signal.throwIfAborted();
    if (code !== 0) throw failure(name, code, reason?.(stdout) ?? `${words}\n${stdout.slice(-wordsKept)}`);
    return { wallMs, cpuMs: endedChildrenMs() - cpuBefore, memoryMb, stdout };
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Ends a process group: politely, and by force when it does not go. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const send = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name);
    } catch {
      // It is gone.
    }
  };
  send("SIGTERM");
  setTimeout(() => send("SIGKILL"), graceMs).unref();
}

function failure(subject: string, code: number | string, words: string): TimeliftError {
  return new TimeliftError({
    code: "bench-program",
    subject,
    problem: `it ended with ${code}:\n${words.trim()}`,
    remedy: "mend what it names, or leave it out: timelift bench --only …",
  });
}
