import { readFileSync, statfsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import Database from "better-sqlite3";
import type pg from "pg";

/** Where the figures come from. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGib: number;
  system: string;
  /** Of the folder in which the database lies. */
  fileSystem: string;
  /** Program -> version. */
  versions: Record<string, string>;
}

/** Asks the machine, and the server for its versions. */
export async function describeMachine(
  client: pg.ClientBase,
  folder: string,
  rivals: Record<string, string>,
): Promise<Machine> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS postgres, extversion AS timescaledb,
       current_setting('timescaledb.license', true) AS license
     FROM pg_extension WHERE extname = 'timescaledb'`,
  );
  const server = rows[0] as { postgres: string; timescaledb: string; license: string };
  return {
    cpu: cpus()[0]?.model.trim() || process.arch,
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${distribution()}, Linux ${release()}`,
    fileSystem: fileSystemOf(folder),
    versions: {
      "Node.js": process.versions.node,
      PostgreSQL: server.postgres,
      TimescaleDB: `${server.timescaledb} (${server.license})`,
      "SQLite in timelift": sqliteVersion(),
      ...rivals,
    },
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}

/** By the numbers of statfs(2). */
const fileSystems: Record<number, string> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  2035054128: "overlay",
  16914836: "tmpfs",
  801189825: "zfs",
};

/** Kind of file system under a folder. */
export function fileSystemOf(folder: string): string {
  const { type } = statfsSync(folder);
  return fileSystems[type] ?? `type 0x${type.toString(16)}`;
}

function sqliteVersion(): string {
  const database = new Database(":memory:");
  try {
    return database.prepare("SELECT sqlite_version()").pluck().get() as string;
  } finally {
    database.close();
  }
}
