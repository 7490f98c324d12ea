import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import { ensureSysroot, type Log, packagesFor, sysrootPath } from "../native/sysroot.ts";
import { type EngineAddress, engineEnvironment, engineFailure, hasImage } from "./engine.ts";
import { imageLayouts } from "./images.ts";
import { folderEntry } from "./tar-folder.ts";

/** Which engine is to have the image, with what in it. */
export interface SysrootImageArgs {
  engine: EngineAddress;
  /** Extensions of PostgreSQL that its packages have to bring. */
  extensions: string[];
}

/**
 * The name that the Debian tree's image has, or undefined where the tree is not made yet. It names the contents:
 * another package, version or layout is another tag.
 */
export function sysrootTag(extensions: string[]): string | undefined {
  const tree = sysrootPath(packagesFor(extensions));
  if (!existsSync(join(tree, ".debian-tree"))) return undefined;
  const hash = createHash("sha256").update(JSON.stringify(imageLayouts));
  for (const line of listing(tree)) hash.update(`${line}\n`);
  return `timelift-sysroot:${hash.digest("hex").slice(0, 16)}`;
}

/**
 * A line an entry below a folder. Debian's packages bring their files' times along, so these tell versions apart; what
 * was made with the tree is in its small files, and is read.
 */
function listing(tree: string, below = ""): string[] {
  const names = readdirSync(join(tree, below)).sort();
  return names.flatMap((name) => {
    const path = join(below, name);
    const stats = lstatSync(join(tree, path));
    if (stats.isDirectory()) return [`${path} ${stats.mode}`, ...listing(tree, path)];
    if (stats.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(tree, path))}`];
    if (path.startsWith("etc/") || path === ".debian-tree") {
      return [`${path} ${stats.mode} ${readFileSync(join(tree, path), "base64")}`];
    }
    return [`${path} ${stats.mode} ${stats.size} ${Math.floor(stats.mtimeMs / 1000)}`];
  });
}

/**
 * Sees to it that the engine has the Debian tree as an image, and returns its name. Makes the tree where it is missing;
 * an image that is there already is left alone.
 * @throws TimeliftError `sysroot-failed`, `docker-missing`, `docker-failed`
 */
export async function ensureSysrootImage(
  { engine, extensions }: SysrootImageArgs,
  log: Log,
): Promise<string> {
  const tree = await ensureSysroot(log, packagesFor(extensions));
  const tag = sysrootTag(extensions) as string;
  if (await hasImage(engine, tag)) return tag;
  log(`importing the Debian tree as ${tag} (about 15 s)`);
  await importTree(engine, tree, tag);
  return tag;
}

/** Hands the tree to the engine, with the folders that data volumes are mounted on, each its user's own. */
async function importTree(engine: EngineAddress, tree: string, tag: string): Promise<void> {
  const args = ["import", "--message", "timelift: Debian packages of the services", "-", tag];
  const docker = spawn("docker", args, { env: engineEnvironment(engine), stdio: ["pipe", "ignore", "pipe"] });
  const said: string[] = [];
  docker.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const imported = new Promise<number | null>((resolve, reject) => {
    docker.once("error", (error) => reject(engineFailure(args, error))).once("close", resolve);
  });
  // An engine that refuses closes the pipe; what it says comes on stderr.
  docker.stdin.on("error", () => {});
  for (const folder of dataFolders()) docker.stdin.write(folder);
  const packed = packTree(tree, docker.stdin);
  const [status] = await Promise.all([imported, packed]);
  if (status !== 0) throw engineFailure(args, { message: said.join("") || `it ended with status ${status}` });
}

function dataFolders(): Buffer[] {
  return Object.values(imageLayouts).flatMap(({ data, user }) => {
    const [uid = 0, gid = 0] = user.split(":").map(Number);
    return data === undefined ? [] : [folderEntry(data, uid, gid)];
  });
}

/** Writes the tree as a tar archive, as root's, for it belongs to whoever made it. */
async function packTree(tree: string, into: NodeJS.WritableStream): Promise<void> {
  const args = ["-C", tree, "--owner=0", "--group=0", "--numeric-owner", "-c", "."];
  const tar = spawn("tar", args, { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  tar.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  tar.stdout.pipe(into);
  const status = await new Promise<number | null>((resolve, reject) => {
    tar.once("error", reject).once("close", resolve);
  });
  if (status === 0 || said.length === 0) return;
  throw new TimeliftError({
    code: "sysroot-failed",
    subject: tree,
    problem: `tar could not pack it: ${said.join("").trim()}`,
    remedy: "delete the folder and try again; it is made anew",
  });
}
