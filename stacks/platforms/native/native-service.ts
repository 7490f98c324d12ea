import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { Secrets } from "../../services/role.ts";
import type { ServiceDeclaration, ServiceName } from "../../services/service.ts";
import type { ServerCertificate } from "../../tls/server-certificate.ts";
import { alertmanager } from "./alertmanager.ts";
import { keepsCertificate, writeCertificate } from "./certificate-files.ts";
import { grafana } from "./grafana.ts";
import { answered } from "./health.ts";
import { exclusively } from "./lock.ts";
import { nodeExporter } from "./node-exporter.ts";
import { pgbouncer } from "./pgbouncer.ts";
import { pgbouncerExporter } from "./pgbouncer-exporter.ts";
import { requireFreePort } from "./port.ts";
import { postgresExporter } from "./postgres-exporter.ts";
import { endProcess, isAlive, launch, type ProcessIdentity } from "./process.ts";
import { findProgram } from "./program.ts";
import { prometheus } from "./prometheus.ts";
import { redis } from "./redis.ts";
import { redisExporter } from "./redis-exporter.ts";
import { passwd, sandbox } from "./sandbox.ts";
import { ServiceFolder } from "./service-folder.ts";
import type { ServiceKind, Start } from "./service-kind.ts";
import { diskFull, isDiskFull, startFailure } from "./start-failure.ts";
import type { Log } from "./sysroot.ts";
import { dataMajor, timescaledb } from "./timescaledb.ts";

/** What a start needs to know. Everything else is in the declaration. */
export interface StartRequest {
  /** The stack's folder, `.timelift/<stack>`. */
  stateDir: string;
  declaration: ServiceDeclaration;
  /** Passwords, in memory; each service takes its own. */
  secrets: Secrets;
  /**
   * What PostgreSQL and PgBouncer prove themselves by; clients in plain text are refused then.
   * @default plain text on loopback, which is for a measurement and for tests
   */
  tls?: ServerCertificate;
  /**
   * Password of the database's superuser, by TCP.
   * @default it comes by the socket alone
   */
  superuserPassword?: string;
}

/** A service that runs and answers. */
export interface RunningService {
  pid: number;
  port: number;
  /** Version of its program. */
  version: string;
  /** Where its program came from: the host or timelift's own Debian tree. */
  origin: string;
}

export interface StopRequest {
  stateDir: string;
  declaration: { name: ServiceName };
  /**
   * Removes the service's data as well.
   * @default false
   */
  dropData?: boolean;
}

const kinds: { [Name in ServiceName]: ServiceKind<Extract<ServiceDeclaration, { name: Name }>> } = {
  timescaledb,
  pgbouncer,
  redis,
  "postgres-exporter": postgresExporter,
  "pgbouncer-exporter": pgbouncerExporter,
  "redis-exporter": redisExporter,
  "node-exporter": nodeExporter,
  alertmanager,
  prometheus,
  grafana,
};

function kindOf(name: ServiceName): ServiceKind {
  return kinds[name] as unknown as ServiceKind;
}

/**
 * Sees to it that a service runs as declared and answers. One that does already is left alone; one with another
 * declaration or other passwords takes the new ones, in place where it can; a dead one is started again, with
 * its data. It outlives this process.
 *
 * @throws TimeliftError `port-taken`, `program-missing`, `sandbox-refused`, `disk-full`, `service-died` or
 * `service-silent`; the last two carry the end of the service's log. Nothing is left running then.
 */
export async function startService(request: StartRequest, log: Log): Promise<RunningService> {
  const folder = new ServiceFolder(request.stateDir, request.declaration.name);
  return exclusively(folder.path, async () => {
    const start = await prepareStart(request, folder, log).catch((error) => {
      throw isDiskFull(error) ? diskFull(folder, error.message, error) : error;
    });
    if (folder.process !== undefined && (await keepRunning(start, folder.process))) return describe(start);
    await endRunning(folder);
    await begin(start);
    return describe(start);
  });
}

/** Ends a service: no process, port, socket or pid file is left. Its data stays unless `dropData`. */
export async function stopService(request: StopRequest): Promise<void> {
  const folder = new ServiceFolder(request.stateDir, request.declaration.name);
  await exclusively(folder.path, async () => {
    await endRunning(folder);
    folder.removeTraces();
    if (request.dropData) folder.drop();
  });
}

async function prepareStart(request: StartRequest, folder: ServiceFolder, log: Log): Promise<Start> {
  const { declaration, secrets, tls, superuserPassword } = request;
  const program = await findProgram(declaration, log, dataMajor(folder));
  folder.make();
  folder.write("conf/passwd", passwd());
  const mounts = [folder.stateMount, folder.socketMount, ...(kindOf(folder.name).mounts?.(folder) ?? [])];
  return {
    declaration,
    secrets,
    ...(tls && { tls }),
    ...(superuserPassword !== undefined && { superuserPassword }),
    folder,
    program,
    log,
    sandbox: await sandbox(program.root, mounts, `${folder.conf}/passwd`, log),
  };
}

/** Whether the running service now is as declared, and answers. False where it has to be started anew. */
async function keepRunning(start: Start, running: ProcessIdentity): Promise<boolean> {
  const { declaration, folder, program, secrets, log } = start;
  const kind = kindOf(declaration.name);
  const alive = () => isAlive(running);
  const { declaration: before, version, origin } = folder.record ?? {};
  if (before === undefined || version !== program.version || origin !== program.origin) {
    log(`${declaration.name}: moving to version ${program.version} from ${program.origin}`);
    return false;
  }
  const knowsSecrets = kind.secretsOf(declaration).every((name) => folder.secret(name) === secrets[name]);
  try {
    if (!knowsSecrets || !keepsCertificate(start) || !isDeepStrictEqual(before, declaration)) {
      log(`${declaration.name}: taking its new configuration`);
      if (!(await takesInPlace(start, before, running, alive))) return false;
    }
    const { error } = await answered(() => kind.ask(start), alive, declaration.health.timeoutSeconds);
    if (error !== undefined) throw error;
  } catch (error) {
    log(`${declaration.name}: it does not answer (${(error as Error).message}), so it is started anew`);
    return false;
  }
  remember(start);
  return true;
}

async function takesInPlace(
  start: Start,
  before: ServiceDeclaration,
  running: ProcessIdentity,
  alive: () => boolean,
): Promise<boolean> {
  const kind = kindOf(start.declaration.name);
  writeCertificate(start);
  await kind.prepare(start);
  if (!(await kind.reload(start, before, running.pid))) return false;
  await kind.settle?.(start, alive);
  return true;
}

async function endRunning(folder: ServiceFolder): Promise<void> {
  const { stop, clear } = kindOf(folder.name);
  const running = folder.process;
  if (running !== undefined) await endProcess(running, stop.signal, stop.graceSeconds);
  await clear?.(folder);
}

async function begin(start: Start): Promise<void> {
  const { declaration, folder } = start;
  const kind = kindOf(declaration.name);
  const logStart = folder.beginLog();
  let running: ProcessIdentity | undefined;
  const alive = () => running !== undefined && isAlive(running);
  try {
    folder.clearSockets();
    await requireFreePort(declaration.name, declaration.port);
    writeCertificate(start);
    await kind.prepare(start);
    running = await launchService(start, kind);
    if (running === undefined) throw new Error("it ended at once");
    await kind.settle?.(start, alive);
    const { error } = await answered(() => kind.ask(start), alive, declaration.health.timeoutSeconds);
    if (error !== undefined) throw error;
    remember(start);
  } catch (error) {
    const died = !alive();
    if (running !== undefined) await endProcess(running, kind.stop.signal, kind.stop.graceSeconds);
    folder.removeTraces();
    throw startFailure(folder, folder.logSince(logStart), died, error);
  }
}

function launchService(start: Start, kind: ServiceKind): Promise<ProcessIdentity | undefined> {
  const { declaration, folder, program, sandbox, log } = start;
  log(`${declaration.name}: starting version ${program.version} from ${program.origin}`);
  return launch({
    prefix: sandbox.prefix,
    command: kind.command(start),
    env: { ...sandbox.env, ...kind.environment?.(start) },
    logFile: folder.logFile,
    pidFile: folder.pidFile,
    pidFileInside: join(sandbox.inside(folder.stateMount), basename(folder.pidFile)),
  });
}

function remember({ declaration, folder, program, secrets }: Start): void {
  for (const name of kindOf(declaration.name).secretsOf(declaration)) {
    const secret = secrets[name];
    if (secret !== undefined && folder.secret(name) !== secret) folder.write(`secrets/${name}`, secret);
  }
  const record = { declaration, version: program.version, origin: program.origin };
  if (!isDeepStrictEqual(folder.record, record)) folder.record = record;
}

function describe({ declaration, folder, program }: Start): RunningService {
  const pid = folder.process?.pid;
  if (pid === undefined) {
    throw new TimeliftError({
      code: "service-died",
      subject: declaration.name,
      problem: "it answered, and ended right after.",
      remedy: `read its log: timelift logs ${declaration.name}`,
    });
  }
  return { pid, port: declaration.port, version: program.version, origin: program.origin };
}
