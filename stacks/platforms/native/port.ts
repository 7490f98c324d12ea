import { randomInt } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { ServiceName } from "../../services/service.ts";

/**
 * Makes sure that a service can listen on its port.
 *
 * @throws TimeliftError `port-taken`, naming who holds it and the config line that moves the service;
 * `port-forbidden` where the user may not listen there.
 */
export async function requireFreePort(service: ServiceName, port: number): Promise<void> {
  // A service that was stopped a moment ago may still be closing.
  for (const deadline = Date.now() + 1000; ; ) {
    const problem = await tryListen(port);
    if (problem === undefined) return;
    if (problem === "EACCES") throw forbidden(service, port);
    if (Date.now() > deadline) throw await taken(service, port);
    await sleep(50);
  }
}

/**
 * A port that nobody uses now. It lies below the range from which Linux gives ports to outgoing connections
 * (net.ipv4.ip_local_port_range, from 32768), so that none of them takes it while its service is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if ((await tryListen(port)) === undefined) return port;
  }
}

function tryListen(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(error.code);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(undefined)));
  });
}

/** The error for a port that another program holds. */
async function taken(service: ServiceName, port: number): Promise<TimeliftError> {
  const holder = holderOf(port);
  const who = holder ? `process ${holder.pid} (${holder.command})` : "a process of another user";
  return new TimeliftError({
    code: "port-taken",
    subject: `port ${port} of ${service}`,
    problem: `${who} already listens there.`,
    remedy: `stop it, or move ${service}: pulumi config set --path timelift:ports.${service} ${await freePort()}`,
  });
}

function forbidden(service: ServiceName, port: number): TimeliftError {
  return new TimeliftError({
    code: "port-forbidden",
    subject: `port ${port} of ${service}`,
    problem: "an ordinary user may not listen there.",
    remedy: `choose one above 1023: pulumi config set --path timelift:ports.${service} ${port + 10_000}`,
  });
}

/** Who listens on a TCP port, as far as this user may know. */
function holderOf(port: number): { pid: number; command: string } | undefined {
  const sockets = listeners(port);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const files = readdirSync(`/proc/${pid}/fd`);
      if (!files.some((file) => sockets.has(linkOf(`/proc/${pid}/fd/${file}`)))) continue;
      return { pid: Number(pid), command: commandOf(pid) };
    } catch {
      // The process ended meanwhile, or is another user's.
    }
  }
  return undefined;
}

/** Where a link leads; nowhere, once the file is closed, as the listing of one's own files is right after it was read. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Only the program and a few letters of its arguments, which might hold anything. */
function commandOf(pid: string): string {
  const [program = "", ...rest] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
  const first = rest.find((argument) => !argument.startsWith("-"));
  return [program, first].filter(Boolean).join(" ").slice(0, 80);
}

/** The kernel's names of the sockets that listen on `port`, as /proc/<pid>/fd shows them. */
function listeners(port: number): Set<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const found = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of lines(table).slice(1)) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === "0A" && local.endsWith(`:${wanted}`)) found.add(`socket:[${inode}]`);
    }
  }
  return found;
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
}
