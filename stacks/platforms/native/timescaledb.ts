import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import { tlsOptions } from "../../../loaders/tls.ts";
import { isGround } from "../../ground-plan.ts";
import { loginOf } from "../../services/login.ts";
import { roles } from "../../services/role.ts";
import type { TimescaleDbDeclaration } from "../../services/service.ts";
import { asSuperuser, bootstrap, superuser } from "../bootstrap.ts";
import { postgresqlFiles } from "../postgresql-files.ts";
import { certificatePaths, clientTls } from "./certificate-files.ts";
import { answered, askSql } from "./health.ts";
import { endOrphans } from "./orphan.ts";
import { refusedSandbox } from "./sandbox.ts";
import type { ServiceFolder } from "./service-folder.ts";
import type { ServiceKind, Start } from "./service-kind.ts";
import { diskFull, isDiskFull } from "./start-failure.ts";

type TimescaleStart = Start<TimescaleDbDeclaration>;

/** PostgreSQL with TimescaleDB as a process: data of its own, configuration beside it. */
export const timescaledb: ServiceKind<TimescaleDbDeclaration> = {
  secretsOf: () => [...roles],

  async prepare(start) {
    writeConfiguration(start);
    if (start.folder.process !== undefined) return;
    forgetDeadServer(start.folder);
    if (dataMajor(start.folder) === undefined) await initialise(start);
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "postgres"),
    ...["-D", join(sandbox.inside(folder.stateMount), "data")],
    ...["-c", `config_file=${join(sandbox.inside(folder.stateMount), "conf/postgresql.conf")}`],
  ],

  async settle({ declaration, folder, program, secrets, superuserPassword }, isAlive) {
    const socket = { host: folder.socketFolder, port: declaration.port };
    const { contents } = declaration;
    const hasCron = program.hasCron === true;
    const { error } = await answered(
      () => askSql({ ...socket, user: superuser, database: superuser }, "SELECT 1"),
      isAlive,
      declaration.health.timeoutSeconds,
    );
    if (error !== undefined) throw error;
    await bootstrap(socket, {
      ...{ contents, secrets, hasCron },
      ...(isGround(contents) && superuserPassword !== undefined && { superuserPassword }),
    });
  },

  ask({ declaration, folder, secrets }) {
    const { port, database, health, contents } = declaration;
    if (isGround(contents)) {
      // The logins are made by the plugin, once the server answers.
      const socket = { host: folder.socketFolder, port, database: superuser };
      return askSql({ ...socket, user: superuser }, health.query);
    }
    const login = { user: loginOf(health.role, contents.generation), password: secrets[health.role] };
    const ssl = tlsOptions(clientTls(folder));
    return askSql({ host: "127.0.0.1", port, database, ...login, ssl }, health.query);
  },

  async reload({ declaration, folder }, before) {
    if (before.port !== declaration.port) return false;
    const socket = { host: folder.socketFolder, port: declaration.port };
    await asSuperuser(socket, superuser, (client) => client.query("SELECT pg_reload_conf()"));
    return asSuperuser(socket, superuser, async (client) => {
      const refused = await client.query("SELECT FROM pg_file_settings WHERE error IS NOT NULL");
      const waiting = await client.query("SELECT FROM pg_settings WHERE pending_restart");
      return refused.rowCount === 0 && waiting.rowCount === 0;
    });
  },

  // "Fast": it cancels queries, writes everything out and ends.
  stop: { signal: "SIGINT", graceSeconds: 120 },

  clear: (folder) => endOrphans(folder.data),
};

/** The major version of PostgreSQL that made the data folder, if there is one. */
export function dataMajor(folder: ServiceFolder): number | undefined {
  const file = join(folder.data, "PG_VERSION");
  return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : undefined;
}

function writeConfiguration(start: TimescaleStart): void {
  const { declaration, folder, program, sandbox, tls } = start;
  const { settings } = declaration;
  const { hasCron = false, hasAudit = false } = program;
  const has: Record<string, boolean> = { pg_cron: hasCron, pgaudit: hasAudit };
  const libraries = String(settings.shared_preload_libraries).split(",");
  const shared_preload_libraries = libraries.filter((name) => has[name] !== false).join(",");
  const audited = hasAudit && { log_statement: "none" };
  const files = postgresqlFiles(
    { ...declaration, settings: { ...settings, shared_preload_libraries, ...audited } },
    {
      conf: join(sandbox.inside(folder.stateMount), "conf"),
      sockets: sandbox.inside(folder.socketMount),
      listen: "127.0.0.1",
      clients: "127.0.0.1/32",
      superuserByTcp: isGround(declaration.contents),
      users: [sandbox.user],
      ...(tls && { tls: certificatePaths(start) }),
    },
  );
  for (const [name, text] of Object.entries(files)) folder.write(`conf/${name}`, text);
}

/**
 * Makes the data folder, with the application's database in it, for pg_cron looks for that as soon as the server
 * starts. Under another name until it is complete, so that an interruption leaves no half of one.
 */
async function initialise(start: TimescaleStart): Promise<void> {
  const { folder, program, sandbox, log, declaration } = start;
  log("timescaledb: making the data folder (a second)");
  for (const name of readdirSync(folder.path).filter((each) => each.startsWith("data.new"))) {
    rmSync(join(folder.path, name), { recursive: true, force: true });
  }
  const fresh = `data.new-${process.pid}`;
  const data = join(sandbox.inside(folder.stateMount), fresh);
  try {
    await runTool(start, [
      join(program.folder, "initdb"),
      ...["-D", data, "-U", superuser],
      ...["--auth-local=peer", "--auth-host=scram-sha-256", "--encoding=UTF8", "--data-checksums"],
      // Text sorts by code point, as in SQLite, on every machine alike.
      ...((program.major ?? 0) >= 17 ? ["--locale-provider=builtin"] : []),
      ...["--locale=C.UTF-8", "--no-instructions"],
    ]);
    const createDatabase = `CREATE DATABASE "${declaration.database.replaceAll('"', '""')}"\n`;
    await runTool(
      start,
      [join(program.folder, "postgres"), "--single", "-D", data, "template1"],
      createDatabase,
    );
  } catch (error) {
    rmSync(join(folder.path, fresh), { recursive: true, force: true });
    throw initialisationFailed(folder, error);
  }
  renameSync(join(folder.path, fresh), folder.data);
}

/** Runs a program of PostgreSQL's to its end. */
async function runTool({ sandbox }: TimescaleStart, command: string[], input = ""): Promise<void> {
  const [file = "", ...args] = [...sandbox.prefix, ...command];
  const running = promisify(execFile)(file, args, { env: sandbox.env, cwd: "/" });
  running.child.stdin?.on("error", () => {}).end(input);
  await running;
}

function initialisationFailed(folder: ServiceFolder, error: unknown): TimeliftError {
  const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
  const output = `${stdout}\n${stderr}`.trim();
  const lastLines = output.split("\n").slice(-8).join("\n");
  const refused = refusedSandbox(output);
  if (refused !== undefined) return refused;
  if (isDiskFull(output)) return diskFull(folder, lastLines, error);
  return new TimeliftError({
    code: "data-not-made",
    subject: folder.data,
    problem: `PostgreSQL could not make its data folder:\n${lastLines || String(error)}`,
    remedy: "mend what it names (a folder that cannot be written, say) and try again.",
    cause: error,
  });
}

/**
 * After a crash PostgreSQL's own lock file stays, and refuses a start where another process got the number in
 * it. Where the number is that of our dead server, the file goes.
 */
function forgetDeadServer(folder: ServiceFolder): void {
  const lockFile = join(folder.data, "postmaster.pid");
  if (!existsSync(lockFile)) return;
  if (Number.parseInt(readFileSync(lockFile, "utf8"), 10) === folder.lastPid)
    rmSync(lockFile, { force: true });
}
