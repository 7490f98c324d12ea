import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type RunningService, startService, stopService } from "../stacks/platforms/native/native-service.ts";
import { freePort } from "../stacks/platforms/native/port.ts";
import type { Role, Secrets } from "../stacks/services/role.ts";
import { type ServiceDeclaration, serviceNames } from "../stacks/services/service.ts";
import type { ServerCertificate } from "../stacks/tls/server-certificate.ts";

/** Passwords that can be searched for: none of them is part of another word. */
export const stackSecrets: Secrets = {
  timelift_owner: "owner-Zq81",
  timelift_loader: "loader-Zq82",
  timelift_app: "app-Zq83",
  timelift_readonly: "readonly-Zq84",
  timelift_monitor: "monitor-Zq85",
  redis: "redis-Zq86",
  redis_monitor: "redis-monitor-Zq87",
};

/** A state folder of a test's own, and the services in it. */
export class NativeStack {
  readonly stateDir = mkdtempSync(join(tmpdir(), "timelift-native-"));

  start(
    declaration: ServiceDeclaration,
    secrets: Secrets = stackSecrets,
    tls?: ServerCertificate,
  ): Promise<RunningService> {
    return startService({ stateDir: this.stateDir, declaration, secrets, ...(tls && { tls }) }, () => {});
  }

  /** Stops all and removes everything. */
  async remove(): Promise<void> {
    for (const name of serviceNames) {
      await stopService({ stateDir: this.stateDir, declaration: { name }, dropData: true });
    }
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

/** So many ports that nobody uses. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** Opens a connection as a role, runs `work`, and closes it. */
export async function asRole<T>(
  port: number,
  role: Role,
  work: (client: pg.Client) => Promise<T>,
  secrets: Secrets = stackSecrets,
): Promise<T> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    database: "app",
    user: role,
    password: secrets[role],
  });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** One value. */
export async function value(client: pg.Client, sql: string): Promise<unknown> {
  const { rows } = await client.query({ text: sql, rowMode: "array" });
  return rows[0]?.[0];
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Numbers of the living processes whose command line or environment holds `text`. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((file) => read(file).includes(text)),
    )
    .map(Number);
}

/** Files below a folder that hold `text`. */
export function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => read(file).includes(text));
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
