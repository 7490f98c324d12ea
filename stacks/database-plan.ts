import { type Login, loginOf } from "./services/login.ts";
import { loaderSchema, type Role, roles } from "./services/role.ts";
import { defaultLimits, type RoleLimits } from "./services/role-limits.ts";

/** A role that owns things and holds privileges, and that nobody logs in as. */
export interface GroupPlan {
  name: Role;
  /** PostgreSQL's own roles that it is a member of. */
  memberOf: string[];
  /**
   * Whether the server runs jobs in its name: policies of TimescaleDB, entries of pg_cron. Both demand the attribute
   * LOGIN. It has no password even so, and pg_hba.conf turns it away.
   */
  runsJobs: boolean;
}

/** A login of a group. */
export interface LoginPlan {
  name: Login;
  group: Role;
  /** False until a generation of passwords has reached it. */
  enabled: boolean;
  /** Connections at once; -1 for any number. */
  connections: number;
  /** Settings that hold from its first statement on; `role` makes it act as its group. */
  settings: Record<string, string>;
}

export interface ExtensionPlan {
  name: string;
  /** False where a server that lacks it will do. */
  required: boolean;
  /** The schema that it brings, and who may use that. */
  schema?: { name: string; users: Role[] };
}

export interface SchemaPlan {
  name: string;
  owner: Role;
}

/** All that a role may do with an object. */
export interface GrantPlan {
  on: "database" | "schema";
  object: string;
  role: Role | "public";
  privileges: string[];
}

/** What a role may do with what another will make. */
export interface DefaultPrivilegePlan {
  maker: Role;
  schema: string;
  role: Role;
  on: "table" | "sequence";
  privileges: string[];
}

/**
 * What is inside a PostgreSQL server, as plain data: who there is, what there is, who may do what. Passwords are not in
 * it. It is made real by `platforms/database-contents.ts`.
 */
export interface DatabasePlan {
  /** Number of the passwords that are in use. */
  generation: number;
  database: string;
  owner: Role;
  groups: GroupPlan[];
  logins: LoginPlan[];
  extensions: ExtensionPlan[];
  schemas: SchemaPlan[];
  grants: GrantPlan[];
  defaultPrivileges: DefaultPrivilegePlan[];
}

/** Extensions that a config can ask for. */
export const optionalExtensions = ["vector", "plpython3u", "pg_cron"] as const;
export type OptionalExtension = (typeof optionalExtensions)[number];

/** What a config says of it. */
export interface DatabasePlanArgs {
  database: string;
  /** Number of the passwords in use; the next number changes them all. @default 1 */
  generation?: number;
  /**
   * Extensions beside timescaledb and pg_stat_statements. pg_cron is made anyway where the server has it.
   * @default []
   */
  extensions?: OptionalExtension[];
  /** Limits of a role, in place of `defaultLimits`. @default {} */
  limits?: Partial<Record<Role, Partial<RoleLimits>>>;
}

/** The plan of a stack's database. */
export function databasePlan(args: DatabasePlanArgs): DatabasePlan {
  const { database, generation = 1, extensions = [], limits = {} } = args;
  return {
    generation,
    database,
    owner: "timelift_owner",
    groups: roles.map((name) => ({
      name,
      memberOf: memberships[name],
      runsJobs: name === "timelift_owner",
    })),
    logins: roles.flatMap((role) =>
      [1, 2].map((each) => loginPlan(role, each, generation, { ...defaultLimits[role], ...limits[role] })),
    ),
    extensions: [
      { name: "timescaledb", required: true },
      { name: "pg_stat_statements", required: true },
      {
        name: "pg_cron",
        required: extensions.includes("pg_cron"),
        schema: { name: "cron", users: ["timelift_owner"] },
      },
      ...extensions.filter((name) => name !== "pg_cron").map((name) => ({ name, required: true })),
    ],
    schemas: [
      { name: "public", owner: "timelift_owner" },
      { name: loaderSchema, owner: "timelift_loader" },
    ],
    grants: [...databaseGrants(database), ...schemaGrants],
    defaultPrivileges,
  };
}

/**
 * Who loads or migrates says who holds a lock, since when, and can end it. To a role, a session of its own logins is
 * another's.
 */
const memberships: Record<Role, string[]> = {
  timelift_owner: ["pg_read_all_stats", "pg_signal_backend"],
  timelift_loader: ["pg_read_all_stats", "pg_signal_backend"],
  timelift_app: [],
  timelift_readonly: [],
  timelift_monitor: ["pg_monitor"],
};

function loginPlan(role: Role, first: number, generation: number, limits: RoleLimits): LoginPlan {
  const settings: Record<string, string> = { role };
  if (limits.statementTimeout > 0) settings.statement_timeout = String(limits.statementTimeout);
  if (limits.idleInTransactionTimeout > 0) {
    settings.idle_in_transaction_session_timeout = String(limits.idleInTransactionTimeout);
  }
  if (limits.lockTimeout > 0) settings.lock_timeout = String(limits.lockTimeout);
  if (role === "timelift_readonly") settings.default_transaction_read_only = "on";
  return {
    name: loginOf(role, first),
    group: role,
    enabled: generation >= first,
    connections: limits.connections > 0 ? limits.connections : -1,
    settings,
  };
}

/** The server's own databases are closed to applications. */
function databaseGrants(database: string): GrantPlan[] {
  const on = "database" as const;
  const privileges: Partial<Record<Role, string[]>> = {
    timelift_owner: ["CREATE", "CONNECT", "TEMPORARY"],
    timelift_loader: ["CONNECT", "TEMPORARY"],
  };
  return [
    { on, object: database, role: "public", privileges: [] },
    ...roles.map((role) => ({ on, object: database, role, privileges: privileges[role] ?? ["CONNECT"] })),
    { on, object: "postgres", role: "public", privileges: [] },
    { on, object: "postgres", role: "timelift_monitor", privileges: ["CONNECT"] },
    { on, object: "template1", role: "public", privileges: [] },
  ];
}

const schemaGrants: GrantPlan[] = [
  { on: "schema", object: "public", role: "public", privileges: ["USAGE"] },
  ...roles.map((role) => ({
    on: "schema" as const,
    object: "public",
    role,
    privileges: role === "timelift_owner" ? ["CREATE", "USAGE"] : ["USAGE"],
  })),
  { on: "schema", object: loaderSchema, role: "timelift_owner", privileges: ["CREATE", "USAGE"] },
  { on: "schema", object: loaderSchema, role: "timelift_readonly", privileges: ["USAGE"] },
  { on: "schema", object: loaderSchema, role: "timelift_monitor", privileges: ["USAGE"] },
];

const read = ["SELECT"];
const write = ["SELECT", "INSERT", "UPDATE", "DELETE"];
const made = { maker: "timelift_owner", schema: "public" } as const;
const ledger = { maker: "timelift_loader", schema: loaderSchema, on: "table", privileges: read } as const;

const defaultPrivileges: DefaultPrivilegePlan[] = [
  { ...made, role: "timelift_app", on: "table", privileges: write },
  { ...made, role: "timelift_loader", on: "table", privileges: [...write, "TRUNCATE"] },
  { ...made, role: "timelift_readonly", on: "table", privileges: read },
  { ...made, role: "timelift_app", on: "sequence", privileges: ["USAGE", "SELECT"] },
  { ...made, role: "timelift_loader", on: "sequence", privileges: ["USAGE", "SELECT", "UPDATE"] },
  { ...made, role: "timelift_readonly", on: "sequence", privileges: read },
  { ...ledger, role: "timelift_owner" },
  { ...ledger, role: "timelift_readonly" },
];
