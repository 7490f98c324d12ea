import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TimeliftError } from "../../../loaders/timelift-error.ts";

/** Receives one line of progress, for a person to read. */
export type Log = (line: string) => void;

/** Debian packages of every service, of the sandbox that they run in, and of what their programs call. */
export const servicePackages = [
  "base-files",
  "base-passwd",
  "bash",
  "bubblewrap",
  "coreutils",
  "dash",
  "grep",
  "libc-bin",
  "pgbouncer",
  "postgresql-17-cron",
  "postgresql-17-timescaledb",
  "prometheus",
  "prometheus-alertmanager",
  "prometheus-node-exporter",
  "prometheus-pgbouncer-exporter",
  "prometheus-postgres-exporter",
  "prometheus-redis-exporter",
  "redis-server",
  "sed",
  "tzdata",
];

/** Debian packages of the extensions that a config can ask for, beyond those of every stack. */
const extensionPackages: Record<string, string> = {
  vector: "postgresql-17-pgvector",
  plpython3u: "postgresql-plpython3-17",
};

/** What a tree must hold for a database with these extensions; the same as any, where none of them needs more. */
export function packagesFor(extensions: string[]): string[] {
  return [...servicePackages, ...extensions.flatMap((name) => extensionPackages[name] ?? [])];
}

/** Where timelift keeps what it downloads: `TIMELIFT_CACHE`, else the XDG cache folder's `timelift`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.TIMELIFT_CACHE) return env.TIMELIFT_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "timelift");
}

/** Path of the tree that holds `packages`, whether it is there yet or not. */
export function sysrootPath(packages: string[] = servicePackages): string {
  const key = createHash("sha256")
    .update([process.arch, ...packages].join(" "))
    .digest("hex")
    .slice(0, 12);
  return join(cacheFolder(), `sysroot-${key}`);
}

/**
 * Returns the path of a Debian tree with `packages` in it, making it first where it is missing or made by an
 * older layout. Needs apt and dpkg-deb, no root. Processes that ask at once share one download.
 *
 * @throws TimeliftError `sysroot-failed` with the tool's last words.
 */
export async function ensureSysroot(log: Log, packages: string[] = servicePackages): Promise<string> {
  const path = sysrootPath(packages);
  await makeTree(path, packages, log);
  return path;
}

async function makeTree(path: string, packages: string[], log: Log): Promise<void> {
  const tool = fileURLToPath(new URL("../../../tools/debian-tree", import.meta.url));
  const child = spawn(tool, [path, ...packages], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
        lines.push(line);
        log(line);
      }
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (status !== 0 || !existsSync(path)) {
    throw new TimeliftError({
      code: "sysroot-failed",
      subject: "Debian packages of the services",
      problem: `tools/debian-tree ended with status ${status}:\n${lines.slice(-8).join("\n")}`,
      remedy:
        "mend what it names and try again, or install the services yourself so that timelift finds them on PATH: " +
        "postgresql with timescaledb and pg_cron, pgbouncer, redis-server, prometheus and its exporters.",
    });
  }
}
