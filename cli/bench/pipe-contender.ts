import { existsSync } from "node:fs";
import { join } from "node:path";
import { onPath, treeLinker } from "../../stacks/platforms/native/sandbox.ts";
import { sysrootPath } from "../../stacks/platforms/native/sysroot.ts";
import { addKey, makeTables } from "./bench-workload.ts";
import type { Contender } from "./contender.ts";
import { measureProcess } from "./measured-process.ts";
import { requireRows } from "./require-rows.ts";
import { versionOf } from "./rival-program.ts";
import { countRows } from "./row-count.ts";

/** The two command-line shells and a pipe, into the hypertable with its key in place: what most people try first. */
export const pipe: Contender = {
  name: "pipe",
  program: "sqlite3",
  isOurs: false,
  title: "sqlite3 -csv | psql \\copy",
  secondsPerMillion: 16,
  async version() {
    if (psql().length === 0) return { missing: "psql is not installed (apt-get install postgresql-client)" };
    return versionOf("sqlite3", "apt-get install sqlite3");
  },
  async prepare(_arena, database) {
    await makeTables(database.owner);
    await addKey(database.owner);
  },
  async run({ source, signal }, database) {
    const { user, host, port, password } = database.loader;
    const script = 'sqlite3 -readonly -csv "$1" "$2" | { copy=$3; shift 3; exec "$@" -X -q -c "$copy"; }';
    const run = await measureProcess({
      name: "sqlite3 | psql",
      command: ["/bin/sh", "-c", script, "sh", source.path, select, copy, ...psql()],
      env: {
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: database.name,
        PGOPTIONS: "-c TimeZone=UTC",
      },
      signal,
    });
    requireRows("the pipe", await countRows(database.owner), source.rows);
    return { wallMs: run.wallMs, cpuMs: run.cpuMs, memoryMb: run.memoryMb };
  },
};

const copy = `\\copy price_history ("time", symbol, open, high, low, close, volume, "interval", created_at, updated_at) from stdin csv`;

/** By itself the shell prints 15 digits of a real; 17 bring every one over whole. */
const select = `SELECT date, symbol, ${["open_price", "high_price", "low_price", "close_price"]
  .map((column) => `printf('%!.17g', ${column})`)
  .join(", ")}, volume, interval, created_at, updated_at FROM price_history`;

/** The user's own psql, else the Debian tree's; empty where there is neither. */
function psql(): string[] {
  const own = onPath("psql");
  if (own !== undefined) return [own];
  const inTree = join(sysrootPath(), "usr/lib/postgresql/17/bin/psql");
  return existsSync(inTree) ? [...treeLinker(sysrootPath()), inTree] : [];
}
