import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { passwd, sandbox } from "../../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../../stacks/platforms/native/sysroot.ts";

/** Debian's own Python with what the applications use; no interpreter of the host is needed. */
const packages = ["bubblewrap", "dash", "libc-bin", "python3", "python3-psycopg2", "python3-sqlmodel"];

/** Runs a script of this folder on the database at `url`, and returns what it printed. */
export async function runPython(script: string, url: string): Promise<string> {
  const tree = await ensureSysroot(() => undefined, packages);
  const dir = mkdtempSync(join(tmpdir(), "timelift-python-"));
  try {
    writeFileSync(join(dir, "passwd"), passwd());
    const here = { path: import.meta.dirname, seenAt: "/application" };
    const { prefix, inside, env } = await sandbox({ tree }, [here], join(dir, "passwd"), () => undefined);
    const [command = "", ...args] = [...prefix, "python3", "-B", join(inside(here), script)];
    const { stdout } = await execa(command, args, {
      env: { ...env, DATABASE_URL: url },
      extendEnv: false,
    });
    return stdout;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
