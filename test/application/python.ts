import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { passwd, sandbox } from "../../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../../stacks/platforms/native/sysroot.ts";

/** Debian's own Python with what the applications use; no interpreter of the host is needed. */
const packages = [
  "bubblewrap",
  "dash",
  "libc-bin",
  "python3",
  "python3-asyncpg",
  "python3-greenlet",
  "python3-psycopg2",
  "python3-sqlalchemy",
  "python3-sqlmodel",
];

/** What a script needs beside its database. */
export interface PythonOptions {
  /** The same database through the pooler, as `POOLED_DATABASE_URL`. */
  pooledUrl?: string;
  /** A folder that the script may write to, which it finds at `/data`. */
  folder?: string;
  /** Arguments of the script. */
  args?: string[];
}

/** Runs a script of this folder on the database at `url` (`DATABASE_URL`), and returns what it printed. */
export async function runPython(script: string, url: string, options: PythonOptions = {}): Promise<string> {
  const tree = await ensureSysroot(() => undefined, packages);
  const dir = mkdtempSync(join(tmpdir(), "timelift-python-"));
  try {
    writeFileSync(join(dir, "passwd"), passwd());
    const here = { path: import.meta.dirname, seenAt: "/application" };
    const trust = { path: dir, seenAt: "/trust" };
    const seen = (url: string) => withAuthority(url, dir, (file) => join(inside(trust), file));
    const data = options.folder === undefined ? [] : [{ path: options.folder, seenAt: "/data" }];
    const { prefix, inside, env } = await sandbox(
      { tree },
      [here, trust, ...data],
      join(dir, "passwd"),
      () => undefined,
    );
    const python = ["python3", "-B", join(inside(here), script), ...(options.args ?? [])];
    const [command = "", ...args] = [...prefix, ...python];
    const pooled = options.pooledUrl === undefined ? {} : { POOLED_DATABASE_URL: seen(options.pooledUrl) };
    const { stdout } = await execa(command, args, {
      env: { ...env, DATABASE_URL: seen(url), ...pooled },
      extendEnv: false,
    });
    return stdout;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Copies the certificate that a URL names to where a script sees it, and returns the URL that names it there. */
function withAuthority(url: string, dir: string, seenAt: (file: string) => string): string {
  const parsed = new URL(url);
  const file = parsed.searchParams.get("sslrootcert");
  if (file === null) return url;
  copyFileSync(file, join(dir, "authority.pem"));
  parsed.searchParams.set("sslrootcert", seenAt("authority.pem"));
  return parsed.href;
}
