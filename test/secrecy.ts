import { type Dirent, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { ProjectCopy } from "./project-copy.ts";

/** Pulumi's mark of a secret value in an exported state. */
const mark = "1b47061264138c4ac30d75fd1eb44270";

/** A place where secrets may not be, and what stands there. */
export type Places = Record<string, string>;

/**
 * Every secret that a deployed stack keeps, as texts that can be looked for: passwords as they are, keys line by line, for
 * a text that holds one may break its lines otherwise.
 */
export async function secretsOf(project: ProjectCopy): Promise<string[]> {
  const { stdout } = await project.pulumi("stack", "export", "--show-secrets");
  const found = new Set<string>([readFileSync(join(project.dir, ".timelift/passphrase"), "utf8").trim()]);
  collect(JSON.parse(stdout), found);
  return [...found];
}

function collect(value: unknown, into: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.values(value).includes(mark) && "plaintext" in value) {
    gather(JSON.parse(String(value.plaintext)), into);
  } else {
    for (const [key, each] of Object.entries(value)) {
      // A container's files are secret together with those that are none; what they are made of is a secret elsewhere.
      if (key !== "uploads") collect(each, into);
    }
  }
}

/** Texts inside one secret value; short ones (a port, a name) and certificates are no secret of their own. */
function gather(value: unknown, into: Set<string>): void {
  if (typeof value === "object" && value !== null) {
    for (const each of Object.values(value)) gather(each, into);
  } else if (typeof value === "string" && !value.startsWith("-----BEGIN CERTIFICATE-----")) {
    const url = URL.canParse(value) ? new URL(value).password : "";
    const lines = (url === "" ? value : url).split("\n");
    // After two lines of a P-256 key comes what its certificate says too.
    const own = value.startsWith("-----BEGIN PRIVATE KEY-----") ? lines.slice(1, 3) : lines;
    for (const line of own.filter((each) => each.length >= 20)) into.add(line);
  }
}

/** Names of the places that hold a secret. */
export function leaks(places: Places, secrets: string[]): string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    secrets.some((secret) => text.includes(secret)) ? [place] : [],
  );
}

/** Files of a project but those that are there to hold secrets: theirs must be closed to everybody else. */
export function openFiles(project: ProjectCopy, isKept: (file: string) => boolean): Places {
  const places: Places = {};
  for (const entry of walk(project.dir)) {
    const path = join(entry.parentPath, entry.name);
    const file = relative(project.dir, path);
    const isClosed = (statSync(path).mode & 0o077) === 0;
    if (!(isClosed && isKept(file))) places[file] = readFileSync(path, "latin1");
  }
  return places;
}

function walk(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return walk(join(folder, entry.name));
    return entry.isFile() ? [entry] : [];
  });
}

/** Command lines and environments of every process of the machine. */
export function processes(): Places {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const files = pids.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  return Object.fromEntries(files.map((file) => [file, read(file)]));
}

/** Addresses, as `127.0.0.1:5432`, at which processes listen, by TCP. */
export function listening(pids: number[]): string[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  const addresses = ["tcp", "tcp6"].flatMap((table) =>
    read(`/proc/${pids[0] ?? "self"}/net/${table}`)
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = ""]) => state === "0A" && sockets.has(inode))
      .map(([, local = ""]) => addressOf(local)),
  );
  return [...new Set(addresses)].sort();
}

/** A process and all below it. */
export function familyOf(root: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => /\) \S (\d+)/.exec(read(`/proc/${pid}/stat`))?.[1] === String(root));
  return [root, ...children.flatMap((pid) => familyOf(Number(pid)))];
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [inode];
    });
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** The kernel writes an address in the machine's own order of bytes, each group of four. */
function addressOf(local: string): string {
  const [address = "", port = ""] = local.split(":");
  const bytes = Buffer.from(address, "hex");
  const text = address.length === 8 ? [...bytes.swap32()].join(".") : address;
  return `${text}:${Number.parseInt(port, 16)}`;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
