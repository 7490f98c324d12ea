import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { cacheFolder } from "../../stacks/platforms/native/sysroot.ts";
import { BenchServer } from "./bench-server.ts";
import { removePartialSources } from "./bench-source.ts";

/** Bytes that a row takes at most at one time: source, private copy, grown copy, binary file, table and WAL. */
const bytesPerRow = 1500;
const bytesOfServer = 2 ** 30;

const serverIn = (folder: string) => join(folder, "server");

/** One run's folder in the cache: the server's data and whatever is thrown away at the end. */
export class RunFolder {
  readonly path: string;
  readonly serverState: string;

  private constructor(path: string) {
    this.path = path;
    this.serverState = serverIn(path);
  }

  /**
   * Makes the folder of this process; those of runs that were killed go, with their servers.
   * @throws TimeliftError `bench-space` when the disk may not hold what is to come
   */
  static async make(rows: number): Promise<RunFolder> {
    const parent = join(cacheFolder(), "bench");
    mkdirSync(parent, { recursive: true });
    await removeLeftovers(parent);
    const folder = new RunFolder(join(parent, `run-${process.pid}`));
    mkdirSync(folder.path, { recursive: true, mode: 0o700 });
    requireSpace(folder.path, rows);
    return folder;
  }

  /** Ends the server, if it runs, and removes everything. */
  async remove(): Promise<void> {
    await BenchServer.remove(this.serverState);
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function removeLeftovers(parent: string): Promise<void> {
  removePartialSources();
  for (const name of readdirSync(parent)) {
    const pid = /^run-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    await BenchServer.remove(serverIn(join(parent, name)));
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function requireSpace(path: string, rows: number): void {
  const { bavail, bsize } = statfsSync(path);
  const [free, needed] = [bavail * bsize, rows * bytesPerRow + bytesOfServer];
  if (free >= needed) return;
  rmSync(path, { recursive: true, force: true });
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new TimeliftError({
    code: "bench-space",
    subject: path,
    problem: `the measurement may need ${gib(needed)} there, and ${gib(free)} are free`,
    remedy: "take fewer rows (--rows, --sample), or set TIMELIFT_CACHE to a folder on a larger disk",
  });
}
