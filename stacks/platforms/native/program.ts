import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import { isOlder } from "../../../loaders/version-order.ts";
import type { ServiceDeclaration, ServiceName } from "../../services/service.ts";
import { isExecutable, onPath, type Root, treeLinker } from "./sandbox.ts";
import { ensureSysroot, type Log, packagesFor } from "./sysroot.ts";

const run = promisify(execFile);

/** A service's program, found. */
export interface Program {
  root: Root;
  /** Folder of the executables, as the program itself sees it. */
  folder: string;
  /** The executable itself. */
  file: string;
  /** Version, e.g. `1.24.1`; for TimescaleDB `2.19.3 on PostgreSQL 17.11`. */
  version: string;
  /** Where it came from, for a person: `PATH (/usr/bin)` or `sysroot`. */
  origin: string;
  /** Major version of PostgreSQL, where it is one. */
  major?: number;
  /** Whether pg_cron's files are there, where it is a PostgreSQL. */
  hasCron?: boolean;
  /** Whether pgaudit's files are there, where it is a PostgreSQL. */
  hasAudit?: boolean;
  /** Extensions that the declaration asks for and that it does not have, where it is a PostgreSQL. */
  lacks?: string[];
}

/**
 * The program that runs a service: the host's where it is new enough, else the Debian tree's. A PostgreSQL of the Apache
 * edition needs pg_cron, which runs what stands in for policies: one without it comes last, and `timelift maintain` has
 * to be called there. So does one that lacks an extension.
 *
 * @param dataMajor the PostgreSQL that made the data folder, where there is one: only that one can open it
 * @throws TimeliftError `program-missing` where not even the tree has it.
 */
export async function findProgram(
  declaration: ServiceDeclaration,
  log: Log,
  dataMajor?: number,
): Promise<Program> {
  const onHost = await find(declaration, "host", dataMajor);
  if (onHost !== undefined && !lacksScheduler(declaration, onHost) && !onHost.lacks?.length) return onHost;
  if (declaration.name === "grafana") throw missing(declaration);
  const tree = await ensureSysroot(log, packagesFor(extensionsOf(declaration)));
  const program = (await find(declaration, { tree }, dataMajor)) ?? onHost;
  if (program !== undefined) return program;
  throw missing(declaration, dataMajor);
}

/** The extensions that a database cannot be without. */
function extensionsOf(declaration: ServiceDeclaration): string[] {
  if (declaration.name !== "timescaledb") return [];
  return declaration.contents.extensions.filter(({ required }) => required).map(({ name }) => name);
}

function lacksScheduler(declaration: ServiceDeclaration, { hasCron }: Program): boolean {
  return declaration.name === "timescaledb" && declaration.edition === "apache" && hasCron !== true;
}

function find(declaration: ServiceDeclaration, root: Root, dataMajor?: number): Promise<Program | undefined> {
  if (declaration.name === "timescaledb") return findPostgres(declaration, root, dataMajor);
  return findSimple(declaration, root, executables[declaration.name]);
}

/** What the program of each service is called: by Debian, by others. */
export const executables: Record<Exclude<ServiceName, "timescaledb">, string[]> = {
  pgbouncer: ["pgbouncer"],
  redis: ["redis-server"],
  "postgres-exporter": ["prometheus-postgres-exporter", "postgres_exporter"],
  "pgbouncer-exporter": ["prometheus-pgbouncer-exporter", "pgbouncer_exporter"],
  "redis-exporter": ["prometheus-redis-exporter", "redis_exporter"],
  "node-exporter": ["prometheus-node-exporter", "node_exporter"],
  alertmanager: ["prometheus-alertmanager", "alertmanager"],
  prometheus: ["prometheus"],
  grafana: ["grafana"],
};

/**
 * Whether this machine may have the program of a service that the Debian tree has not: Grafana. Looks at files only.
 */
export function isOnHost(name: keyof typeof executables): boolean {
  return executables[name].some((executable) =>
    hostFolders(executable).some((folder) => isExecutable(join(folder, executable))),
  );
}

/** What tells a program from another of the same name: Debian 12 calls another exporter of PgBouncer so. */
const words: Partial<Record<ServiceName, RegExp>> = { "pgbouncer-exporter": /\bpgbouncer_exporter, version/ };

async function findSimple(
  declaration: ServiceDeclaration,
  root: Root,
  names: string[],
): Promise<Program | undefined> {
  const places = names.flatMap((executable) =>
    (root === "host" ? hostFolders(executable) : ["/usr/bin", "/usr/sbin"]).map((folder) => ({
      folder,
      executable,
    })),
  );
  for (const { folder, executable } of places) {
    const path = join(root === "host" ? "" : root.tree, folder, executable);
    if (!isExecutable(path)) continue;
    const version =
      root === "host" ? await askVersion(path, words[declaration.name]) : await treeVersion(root.tree, path);
    if (version === undefined || isOlder(version, declaration.version.minimum)) continue;
    return { root, folder, file: join(folder, executable), version, origin: originOf(root, folder) };
  }
  return undefined;
}

/** Debian keeps servers out of an ordinary user's PATH. */
function hostFolders(executable: string): string[] {
  const found = onPath(executable);
  // The last is where Grafana's own packages put it.
  const usual = ["/usr/sbin", "/usr/local/sbin", "/usr/share/grafana/bin"];
  const folders = [...(found ? [join(found, "..")] : []), ...usual];
  return [...new Set(folders)];
}

type PostgresDeclaration = Extract<ServiceDeclaration, { name: "timescaledb" }>;

async function findPostgres(
  declaration: PostgresDeclaration,
  root: Root,
  dataMajor?: number,
): Promise<Program | undefined> {
  for (const { folder, share, library } of postgresFolders(root)) {
    const file = join(root === "host" ? "" : root.tree, folder, "postgres");
    if (!isExecutable(file)) continue;
    const extension = extensionVersion(share);
    if (extension === undefined || isOlder(extension, declaration.version.minimum)) continue;
    if (declaration.edition === "community" && !hasCommunity(library, extension)) continue;
    const server = root === "host" ? await askVersion(file) : await treeVersion(root.tree, file);
    const major = Number.parseInt(server ?? "", 10);
    const { minimum, maximum } = declaration.postgres;
    if (!(major >= minimum && major <= maximum) || (dataMajor !== undefined && major !== dataMajor)) continue;
    const wanted = extensionsOf(declaration);
    // Another tree is another origin: a server that runs has to move to it.
    const more = root === "host" ? [] : packagesFor(wanted).slice(packagesFor([]).length);
    return {
      root,
      folder,
      file: join(folder, "postgres"),
      version: `${extension} on PostgreSQL ${server}`,
      origin: [originOf(root, folder), ...more].join(" with "),
      major,
      lacks: wanted.filter((name) => !existsSync(join(share, `extension/${name}.control`))),
      hasCron: hasExtension("pg_cron", library, share),
      hasAudit: hasExtension("pgaudit", library, share),
    };
  }
  return undefined;
}

/** Where PostgreSQL may be: Debian's folders, the newest first, and whatever `pg_config` on PATH says. */
function postgresFolders(root: Root): { folder: string; share: string; library: string }[] {
  const base = root === "host" ? "/" : root.tree;
  const versions = join(base, "usr/lib/postgresql");
  const majors = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const debian = majors.map((major) => ({
    folder: `/usr/lib/postgresql/${major}/bin`,
    share: join(base, `usr/share/postgresql/${major}`),
    library: join(base, `usr/lib/postgresql/${major}/lib`),
  }));
  const own = root === "host" ? onPath("postgres") : undefined;
  if (own === undefined) return debian;
  const prefix = join(own, "../..");
  const layouts = [
    { share: join(prefix, "share"), library: join(prefix, "lib") },
    { share: join(prefix, "share/postgresql"), library: join(prefix, "lib/postgresql") },
    { share: join(prefix, "share/pgsql"), library: join(prefix, "lib/pgsql") },
    { share: join(prefix, "share/pgsql"), library: join(prefix, "lib64/pgsql") },
  ];
  return [...layouts.map((layout) => ({ folder: join(own, ".."), ...layout })), ...debian];
}

function hasExtension(name: string, library: string, share: string): boolean {
  return existsSync(join(library, `${name}.so`)) && existsSync(join(share, "extension", `${name}.control`));
}

function extensionVersion(share: string): string | undefined {
  const control = join(share, "extension/timescaledb.control");
  if (!existsSync(control)) return undefined;
  return /default_version\s*=\s*'([^']+)'/.exec(readFileSync(control, "utf8"))?.[1];
}

/** What only the Community edition does lies in a library of its own. */
function hasCommunity(library: string, extension: string): boolean {
  return existsSync(join(library, `timescaledb-tsl-${extension}.so`));
}

/** What a program of the host says to `--version`. */
async function askVersion(file: string, expected = /(?:)/): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(file, ["--version"], { timeout: 10_000 });
    const said = stdout + stderr;
    return expected.test(said) ? versionIn(said) : undefined;
  } catch {
    return undefined;
  }
}

/** The same of a tree's program. Its libraries are the tree's too, so it needs no sandbox to speak. */
async function treeVersion(tree: string, file: string): Promise<string | undefined> {
  const [linker, ...args] = treeLinker(tree);
  try {
    const { stdout, stderr } = await run(linker, [...args, file, "--version"], { timeout: 20_000 });
    return versionIn(stdout + stderr);
  } catch {
    return undefined;
  }
}

function versionIn(text: string): string | undefined {
  return /\b(\d+(?:\.\d+)+)/.exec(text)?.[1];
}

function originOf(root: Root, folder: string): string {
  return root === "host" ? `host (${folder})` : "sysroot";
}

function missing(declaration: ServiceDeclaration, dataMajor?: number): TimeliftError {
  if (declaration.name === "timescaledb" && declaration.edition === "community") {
    const major = dataMajor === undefined ? "" : ` for PostgreSQL ${dataMajor}, which made the data,`;
    return new TimeliftError({
      code: "program-missing",
      subject: declaration.name,
      problem: `no TimescaleDB ${declaration.version.minimum} of the Community edition${major} is here; Debian builds the Apache edition only.`,
      remedy:
        "put the folder of a PostgreSQL that has it on PATH, or stay: pulumi config set timelift:edition apache",
    });
  }
  if (declaration.name === "grafana") {
    return new TimeliftError({
      code: "program-missing",
      subject: "grafana",
      problem: `this machine has no Grafana ${declaration.version.minimum} or newer, and Debian has none at all.`,
      remedy: `install Grafana, or put the folder of its program \`grafana\` on PATH; or leave it out: timelift:services`,
    });
  }
  if (dataMajor !== undefined) {
    return new TimeliftError({
      code: "program-missing",
      subject: declaration.name,
      problem: `its data was made by PostgreSQL ${dataMajor}, and no PostgreSQL ${dataMajor} with TimescaleDB is here.`,
      remedy: `install postgresql-${dataMajor}-timescaledb, or drop the data (timelift:dropData, then destroy and up).`,
    });
  }
  return new TimeliftError({
    code: "program-missing",
    subject: declaration.name,
    problem: `neither this system nor the Debian tree has version ${declaration.version.minimum} or newer.`,
    remedy:
      "delete the folder sysroot-… in timelift's cache and try again; `timelift doctor` says where it is.",
  });
}
