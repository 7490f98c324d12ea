import type pg from "pg";
import { type Connection, connect, describeTarget } from "../../loaders/connection.ts";
import { readFreeConnections } from "../../loaders/free-connections.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import { requireServer } from "../edition.ts";
import type { AccessDemand } from "./demand.ts";
import { type Lack, loaderLacks, ownerLacks, readonlyLacks } from "./lacks.ts";
import { type LoginFacts, readFutureLacks, readLoginFacts } from "./login-facts.ts";
import { readExtension } from "./timescale-extension.ts";

/** Who does what in a database. One login may stand for all three. */
export interface Logins {
  /** Makes tables and keeps the books. */
  owner: Connection;
  /** Writes rows. */
  loader: Connection;
  /** Validates. */
  readonly: Connection;
}

/** What was found. Nothing was written. */
export interface Access {
  lacks: Lack[];
  /** What is worth to know and stops nothing. */
  notes: string[];
  /** The role of each login that can connect. */
  roles: Partial<Record<keyof Logins, LoginFacts>>;
  /** Whether TimescaleDB still has to be made in the database, and the owner may do it. */
  makesExtension: boolean;
  /** `PostgreSQL 17.6, TimescaleDB 2.19.3`. */
  server: string;
}

/** A load writes over up to four connections and leaves five to others; below this it would not even begin. */
const connectionsWanted = 3;

/** One login, while it is asked. */
interface Visit {
  client: pg.Client;
  facts: LoginFacts;
}

/**
 * Asks a database whether a workload can be migrated, loaded and validated there, and writes nothing: whatever is lacking
 * is found at once, each with what mends it.
 * @throws TimeliftError `database-unreachable`, `database-starting`, `database-tls`, `database-missing`: then no role
 * comes any further than the owner
 */
export async function checkAccess(logins: Logins, demand: AccessDemand): Promise<Access> {
  const clients: pg.Client[] = [];
  const lacks: Lack[] = [];
  const visits = new Map<string, Visit>();
  const visit = async (login: Connection): Promise<Visit | undefined> => {
    const known = visits.get(login.user);
    if (known !== undefined) return known;
    const client = await connect(login, "access").catch((error) => refusal(login, error));
    if (!("query" in client)) {
      if (!lacks.some(({ what }) => what === client.what)) lacks.push(client);
      return undefined;
    }
    clients.push(client);
    const made = { client, facts: await readLoginFacts(client, demand) };
    visits.set(login.user, made);
    return made;
  };
  try {
    const owner = await visit(logins.owner);
    const loader = await visit(logins.loader);
    const reader = await visit(logins.readonly);
    const found: Access = {
      ...{ lacks, notes: [], makesExtension: false, server: "" },
      roles: { owner: owner?.facts, loader: loader?.facts, readonly: reader?.facts },
    };
    if (owner) {
      lacks.push(...ownerLacks(owner.facts, demand));
      await askServer(owner, demand, found);
      lacks.push(...(await poolerLacks(logins.owner, owner)));
    }
    const future = ({ client }: Visit) =>
      owner ? readFutureLacks(client, owner.facts.roleName) : { tables: [], sequences: [] };
    if (loader) lacks.push(...loaderLacks(loader.facts, owner?.facts, await future(loader)));
    if (reader) lacks.push(...readonlyLacks(reader.facts, owner?.facts, await future(reader)));
    found.lacks = distinct(lacks);
    for (const { client, facts } of visits.values()) await askSession(client, facts, found);
    return found;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

/** A refused login as something that is lacking; what no other login would survive either is thrown. */
function refusal(login: Connection, error: unknown): Lack {
  if (!(error instanceof TimeliftError)) throw error;
  if (!["database-password", "database-refused", "database-full"].includes(error.code)) throw error;
  return { what: `${login.user} cannot connect: ${error.problem}`, mend: error.remedy };
}

/** Versions, edition and the extension, and what runs on a schedule. */
async function askServer({ client, facts }: Visit, demand: AccessDemand, found: Access): Promise<void> {
  const extension = await readExtension(client);
  found.server = `PostgreSQL ${extension.postgres}`;
  try {
    found.server += `, TimescaleDB ${await requireServer(client, demand.edition)}`;
  } catch (error) {
    if (!(error instanceof TimeliftError)) throw error;
    const isMissing = error.code === "timescaledb-missing";
    if (isMissing && extension.creatable) {
      found.makesExtension = true;
      found.notes.push(`extension timescaledb ${extension.available} will be made by ${facts.role}`);
    } else {
      found.lacks.push({ what: error.problem, mend: (isMissing && extension.hint) || error.remedy });
    }
  }
  if (demand.edition === "apache" && !facts.cron) {
    found.notes.push(
      `pg_cron cannot be used by ${facts.role}: call timelift maintain every few minutes (docs/editions.md)`,
    );
  }
}

/**
 * Behind a pooler in transaction mode two sessions share one server process, and locks, settings and temporary tables of
 * one are those of the other.
 */
async function poolerLacks(login: Connection, { client }: Visit): Promise<Lack[]> {
  const processOf = async (each: pg.Client) =>
    (await each.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid;
  const first = await processOf(client);
  const other = await connect(login, "access").catch(() => undefined);
  if (other === undefined) return [];
  try {
    const second = await processOf(other);
    if (first !== second && first === (await processOf(client))) return [];
  } finally {
    await other.end();
  }
  return [
    {
      what: "two sessions get the same server process: a pooler in transaction mode stands in between",
      mend: "name host and port of the database itself in timelift:targetUrl",
    },
  ];
}

async function askSession(
  client: pg.Client,
  { role, statementTimeout }: LoginFacts,
  found: Access,
): Promise<void> {
  const free = await readFreeConnections(client);
  if (free < connectionsWanted) {
    found.lacks.push({
      what: `${role} has ${free} free connections left, and timelift needs ${connectionsWanted}`,
      mend: "close some, or raise max_connections or the limit of the role or the database",
    });
  } else {
    found.notes.push(`${role} has ${free} free connections left`);
  }
  if (statementTimeout !== "0") {
    found.notes.push(
      `statements of ${role} end after ${statementTimeout}, and keys over many rows may take longer: ALTER ROLE ${role} SET statement_timeout = 0;`,
    );
  }
}

function distinct(lacks: Lack[]): Lack[] {
  return [...new Map(lacks.map((lack) => [lack.what, lack])).values()];
}

/**
 * As `checkAccess`, and refuses a database that lacks anything.
 * @throws TimeliftError `target-access` with all of it
 */
export async function requireAccess(logins: Logins, demand: AccessDemand): Promise<Access> {
  const access = await checkAccess(logins, demand);
  if (access.lacks.length === 0) return access;
  const count = access.lacks.length;
  throw new TimeliftError({
    code: "target-access",
    subject: describeTarget(logins.owner),
    problem: `${count === 1 ? "something is" : `${count} things are`} lacking, and nothing was written\n${access.lacks
      .map(({ what, mend }) => `  ${what}\n    ${mend}`)
      .join("\n")}`,
    remedy:
      "run the statements above as the owner of what they name, or as the database's administrator; then run again",
  });
}
