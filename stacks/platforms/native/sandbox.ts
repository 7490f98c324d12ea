import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import { ensureSysroot, type Log, sysrootPath } from "./sysroot.ts";

/** Where files come from: the host itself, or a Debian tree's path. */
export type Root = "host" | { tree: string };

/** A folder of the host that the program may use, and where a tree's program sees it. */
export interface Mount {
  path: string;
  seenAt: string;
  /** @default it may be written to */
  readOnly?: boolean;
}

/** A program's environment: the view of the file system that it runs in, and as whom. */
export interface Sandbox {
  /** Command and leading arguments that run what follows them inside. Empty where the host will do. */
  prefix: string[];
  /** Where the program sees a mount: a host's program where it is, a tree's at a short path of its own. */
  inside(mount: Mount): string;
  /** Name of the operating-system user that the program believes to be. */
  user: string;
  /** Complete environment; nothing of timelift's own reaches a service. */
  env: Record<string, string>;
}

/** The user's name inside a sandbox. */
const sandboxUser = "timelift";

/** Contents of the sandbox's /etc/passwd: PostgreSQL asks for its user's name. */
export function passwd(): string {
  return `${sandboxUser}:x:${sandboxUid()}:${sandboxUid()}::/tmp:/bin/sh\n`;
}

/** Root appears as an ordinary user, for PostgreSQL and PgBouncer refuse root; anyone else as themselves. */
function sandboxUid(): number {
  return process.getuid?.() || 1000;
}

/**
 * The sandbox that programs of `root` run in: bubblewrap with a user namespace, needing no root. Programs of
 * the host run as they are, but for root and for a user without a name (as in some containers): PostgreSQL
 * accepts neither.
 *
 * @param passwdFile a file that holds `passwd()`
 */
export async function sandbox(root: Root, mounts: Mount[], passwdFile: string, log: Log): Promise<Sandbox> {
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/tmp", LANG: "C.UTF-8", TZ: "UTC" };
  const isRoot = process.getuid?.() === 0;
  const isHost = root === "host";
  const inside = (mount: Mount) => (isHost ? mount.path : mount.seenAt);
  const user = userName();
  if (isHost && !isRoot && user !== undefined) return { prefix: [], inside, user, env };
  const identity = isRoot ? ["--uid", String(sandboxUid()), "--gid", String(sandboxUid())] : [];
  const prefix = [
    ...(await bubblewrap(root, log)),
    ...["--unshare-user", ...identity],
    ...(isHost ? ["--ro-bind", "/", "/"] : treeFiles(root.tree)),
    ...["--ro-bind", "/proc", "/proc", "--dev", "/dev"],
    ...["--ro-bind", passwdFile, "/etc/passwd"],
    ...mounts.flatMap((mount) => [mount.readOnly ? "--ro-bind" : "--bind", mount.path, inside(mount)]),
    ...["--chdir", "/", "--"],
  ];
  return { prefix, inside, user: sandboxUser, env };
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** Only what programs read; the rest of the sandbox's root is empty, so that any mount point can be made. */
function treeFiles(tree: string): string[] {
  const links = ["bin", "sbin", "lib", "lib64"].filter((name) => existsSync(join(tree, "usr", name)));
  return [
    ...["--ro-bind", join(tree, "usr"), "/usr"],
    ...links.flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    ...["--ro-bind-try", join(tree, "etc/alternatives"), "/etc/alternatives"],
    ...["--ro-bind-try", join(tree, "etc/ssl"), "/etc/ssl"],
    // Host names, which a pool in front of a server elsewhere has to find.
    ...["--ro-bind-try", "/etc/hosts", "/etc/hosts", "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"],
    ...["--tmpfs", "/tmp"],
  ];
}

/**
 * The host's own bubblewrap where there is one: some distributions allow user namespaces to known programs
 * only. Else the tree's, started through the tree's dynamic linker so that it needs no library of the host.
 */
async function bubblewrap(root: Root, log: Log): Promise<string[]> {
  const own = onPath("bwrap");
  if (own !== undefined) return [own];
  const tree = root === "host" ? await treeWithBubblewrap(log) : root.tree;
  return [...treeLinker(tree), join(tree, "usr/bin/bwrap")];
}

/** The services' tree where it is there already, else a small one of its own. */
async function treeWithBubblewrap(log: Log): Promise<string> {
  const services = sysrootPath();
  return existsSync(join(services, "usr/bin/bwrap")) ? services : ensureSysroot(log, ["bubblewrap"]);
}

/** Command that runs a tree's program outside a sandbox, with the tree's own dynamic linker and libraries. */
export function treeLinker(tree: string): [string, ...string[]] {
  const { triplet, linker } = architecture();
  const libraries = join(tree, "usr/lib", triplet);
  return [join(libraries, linker), "--library-path", libraries];
}

function architecture(): { triplet: string; linker: string } {
  if (process.arch === "x64") return { triplet: "x86_64-linux-gnu", linker: "ld-linux-x86-64.so.2" };
  if (process.arch === "arm64") return { triplet: "aarch64-linux-gnu", linker: "ld-linux-aarch64.so.1" };
  throw new TimeliftError({
    code: "architecture-unsupported",
    subject: `processor architecture ${process.arch}`,
    problem: "the native platform knows x64 and arm64 only.",
    remedy: "run timelift on a machine of one of these.",
  });
}

/** Full path of a program on the user's PATH. */
export function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The error for a kernel that refuses the sandbox, or undefined where `output` says nothing of the kind. */
export function refusedSandbox(output: string): TimeliftError | undefined {
  const refusal = output.split("\n").find((line) => line.startsWith("bwrap: "));
  if (refusal === undefined) return undefined;
  return new TimeliftError({
    code: "sandbox-refused",
    subject: "user namespaces",
    problem: `the sandbox that services run in cannot be made (${refusal}).`,
    remedy: namespaceRemedy(),
  });
}

function namespaceRemedy(): string {
  if (kernelSetting("kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return (
      "as root: `apt-get install bubblewrap apparmor-profiles` (a profile that lets bwrap make them), " +
      "or `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`."
    );
  }
  if (kernelSetting("kernel/unprivileged_userns_clone") === "0") {
    return "as root: `sysctl -w kernel.unprivileged_userns_clone=1`, or `apt-get install bubblewrap` where it is setuid root.";
  }
  if (kernelSetting("user/max_user_namespaces") === "0") {
    return "as root: `sysctl -w user.max_user_namespaces=10000`.";
  }
  return (
    "in a container, allow user namespaces (Docker: `--security-opt seccomp=unconfined`); else, as root, " +
    "`apt-get install bubblewrap`, or install the services themselves and run timelift as an ordinary user: " +
    "`apt-get install postgresql-17-timescaledb postgresql-17-cron pgbouncer redis-server prometheus` (Debian 13)."
  );
}

function kernelSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim();
  } catch {
    return undefined;
  }
}
