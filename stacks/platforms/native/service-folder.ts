import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { ServiceDeclaration, ServiceName } from "../../services/service.ts";
import { isAlive, type ProcessIdentity, readPidFile } from "./process.ts";
import type { Mount } from "./sandbox.ts";

/** What is remembered of a service besides its data: enough for `status`, `logs` and `psql`. No password. */
export interface ServiceRecord {
  declaration: ServiceDeclaration;
  /** Version of the program that was started. */
  version: string;
  /** Where that program came from. */
  origin: string;
}

/** A log above this is set aside once, at the next start. */
const logLimit = 16 * 2 ** 20;

/**
 * `<state>/services/<name>`, everything that one service keeps: `data`, `conf`, `log`, `secrets`, a pid file and
 * its record; and its socket folder, which is elsewhere, for a socket's path may have 107 bytes only.
 * All of it is for the user alone (0700, 0600).
 */
export class ServiceFolder {
  readonly name: ServiceName;
  readonly path: string;

  constructor(stateDir: string, name: ServiceName) {
    this.name = name;
    this.path = resolve(stateDir, "services", name);
  }

  /**
   * The folder of the service's Unix socket. Its name is drawn at the first start and kept as a link, for a
   * name that others could guess they could also take first.
   */
  get socketFolder(): string {
    return readlinkSync(this.socketLink);
  }
  private get socketLink(): string {
    return join(this.path, "socket");
  }
  get data(): string {
    return join(this.path, "data");
  }
  get conf(): string {
    return join(this.path, "conf");
  }
  get logFile(): string {
    return join(this.path, "log", `${this.name}.log`);
  }
  get pidFile(): string {
    return join(this.path, "service.pid");
  }
  get stateMount(): Mount {
    return { path: this.path, seenAt: "/tmp/timelift/state" };
  }
  get socketMount(): Mount {
    return { path: this.socketFolder, seenAt: "/tmp/timelift/socket" };
  }

  /** Makes the folders that are missing. */
  make(): void {
    for (const folder of [this.path, this.conf, join(this.path, "log")]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    // /tmp is emptied by a reboot, say.
    if (existsSync(this.socketLink)) return;
    rmSync(this.socketLink, { force: true });
    symlinkSync(mkdtempSync("/tmp/timelift-"), this.socketLink);
  }

  /** Removes what a dead process left in the socket folder; another process may have its number by now. */
  clearSockets(): void {
    for (const name of readdirSync(this.socketFolder)) rmSync(join(this.socketFolder, name));
  }

  /** Writes a configuration file, readable by the user alone, whole or not at all. */
  write(file: string, text: string): void {
    const path = join(this.path, file);
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  remove(file: string): void {
    rmSync(join(this.path, file), { force: true });
  }

  read(file: string): string | undefined {
    const path = join(this.path, file);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  get record(): ServiceRecord | undefined {
    const text = this.read("service.json");
    return text === undefined ? undefined : (JSON.parse(text) as ServiceRecord);
  }
  set record(record: ServiceRecord) {
    this.write("service.json", `${JSON.stringify(record, null, 2)}\n`);
  }

  /** The running process, or undefined. */
  get process(): ProcessIdentity | undefined {
    const identity = readPidFile(this.pidFile);
    return identity !== undefined && isAlive(identity) ? identity : undefined;
  }

  /** Number of the process that was started last, whether it lives or not. */
  get lastPid(): number | undefined {
    return readPidFile(this.pidFile)?.pid;
  }

  /** The password kept for a role, while the service runs. */
  secret(name: string): string | undefined {
    return this.read(join("secrets", name));
  }

  /** Sets a long log aside and returns where the next line will stand. */
  beginLog(): number {
    if (!existsSync(this.logFile)) return 0;
    const { size } = statSync(this.logFile);
    if (size < logLimit) return size;
    renameSync(this.logFile, `${this.logFile}.1`);
    return 0;
  }

  /** What the log says from `position` on. */
  logSince(position: number): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile).subarray(position).toString("utf8") : "";
  }

  /** Removes what only a running service has. */
  removeTraces(): void {
    rmSync(this.pidFile, { force: true });
    rmSync(join(this.path, "secrets"), { recursive: true, force: true });
    if (existsSync(this.socketLink)) rmSync(this.socketFolder, { recursive: true, force: true });
    rmSync(this.socketLink, { force: true });
  }

  /** Removes the service with its data, and the folders above that are empty then. */
  drop(): void {
    rmSync(this.path, { recursive: true, force: true });
    const services = join(this.path, "..");
    if (existsSync(services) && readdirSync(services).length === 0) rmdirSync(services);
  }
}

/**
 * Whether a service's process is there. Reads three small files and starts nothing, for every preview asks it;
 * whether the service answers is asked by `startService`.
 */
export function isServiceRunning(stateDir: string, name: ServiceName): boolean {
  return new ServiceFolder(stateDir, name).process !== undefined;
}
