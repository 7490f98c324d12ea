import type pg from "pg";
import { guardSchema } from "../objects/guard.ts";
import type { AccessDemand } from "./demand.ts";

/** A schema, as one role may use it. */
export interface SchemaFacts {
  there: boolean;
  usage: boolean;
  create: boolean;
  /** Whether the role has the rights of its owner. */
  owns: boolean;
}

/** A table, view, sequence or function that stands already, as one role may use it. */
export interface ObjectFacts {
  kind: "table" | "view" | "sequence" | "function";
  /** With its schema, quoted where SQL needs it. */
  name: string;
  /** Of the schema `timelift`: its load_*, reject tables, which the loader keeps. */
  ledger: boolean;
  schema: string;
  owner: string;
  owns: boolean;
  /** Privileges that the role lacks, of those that reading, or writing and reading, takes. */
  lacking: string[];
}

/** What a database says of one login of it. */
export interface LoginFacts {
  /** Name of the role, quoted where SQL needs it. */
  role: string;
  roleName: string;
  /** The database, likewise. */
  database: string;
  encoding: string;
  /** The schema in which an unqualified name is made. */
  schema: string | null;
  readOnly: boolean;
  standby: boolean;
  /** `0` for none. */
  statementTimeout: string;
  createsSchemas: boolean;
  temporary: boolean;
  schemas: Record<"public" | "timelift" | "guards", SchemaFacts>;
  objects: ObjectFacts[];
  cron: boolean;
}

const ledgerTables = ["load_run", "load_part", "load_state", "reject", "source_record", "validation"];

const login = `
  SELECT quote_ident(current_user) AS role, current_user AS "roleName",
    quote_ident(current_database()) AS database, current_setting('server_encoding') AS encoding,
    current_schema() AS schema, current_setting('default_transaction_read_only') = 'on' AS "readOnly",
    pg_is_in_recovery() AS standby, current_setting('statement_timeout') AS "statementTimeout",
    has_database_privilege(current_database(), 'CREATE') AS "createsSchemas",
    has_database_privilege(current_database(), 'TEMPORARY') AS temporary,
    to_regprocedure('cron.schedule(text, text, text)') IS NOT NULL
      AND coalesce(has_schema_privilege(to_regnamespace('cron'), 'USAGE'), false) AS cron`;

const schemas = `
  SELECT asked AS name, oid IS NOT NULL AS there, coalesce(has_schema_privilege(oid, 'USAGE'), false) AS usage,
    coalesce(has_schema_privilege(oid, 'CREATE'), false) AS create, coalesce(pg_has_role(nspowner, 'USAGE'), false) AS owns
  FROM unnest($1::text[]) asked LEFT JOIN pg_namespace ON nspname = asked`;

/** Tables and views by name, their sequences, and all of the schema timelift. */
const objects = `
  WITH relation AS (
    SELECT c.oid, c.relkind, c.relname, c.relowner, nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE (nspname = 'public' AND relname = ANY($1) OR nspname = 'timelift') AND relkind IN ('r', 'p', 'v', 'm')),
  sequence AS (
    SELECT c.oid, c.relkind, c.relname, c.relowner, nspname FROM relation
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND refobjid = relation.oid AND deptype IN ('a', 'i')
      JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
    WHERE nspname = 'public'),
  found AS (
    SELECT CASE WHEN relkind IN ('r', 'p') THEN 'table' ELSE 'view' END AS kind, oid, relname AS name, relowner AS owner,
      nspname FROM relation
    UNION ALL SELECT 'sequence', oid, relname, relowner, nspname FROM sequence
    UNION ALL SELECT 'function', p.oid, proname, proowner, nspname
      FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'timelift')
  SELECT kind, format('%I.%I', nspname, name) AS name, nspname AS schema,
    nspname = 'timelift' AND kind = 'table' AND name = ANY($2) AS ledger,
    quote_ident(pg_get_userbyid(owner)) AS owner, pg_has_role(owner, 'USAGE') AS owns,
    CASE kind
      WHEN 'table' THEN ARRAY(SELECT p FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p WHERE NOT has_table_privilege(oid, p))
      WHEN 'view' THEN ARRAY(SELECT p FROM unnest('{SELECT}'::text[]) p WHERE NOT has_table_privilege(oid, p))
      WHEN 'sequence' THEN ARRAY(SELECT p FROM unnest('{SELECT,UPDATE}'::text[]) p WHERE NOT has_sequence_privilege(oid, p))
      ELSE '{}' END AS lacking
  FROM found ORDER BY array_position('{table,view,sequence,function}', kind), 2`;

/** Asks what the session's role may do. Reads the catalog only, in a transaction that could not write. */
export async function readLoginFacts(client: pg.Client, demand: AccessDemand): Promise<LoginFacts> {
  await client.query("BEGIN TRANSACTION READ ONLY");
  try {
    const [facts] = (await client.query<LoginFacts>(login)).rows;
    const names = ["public", "timelift", guardSchema];
    const found = (await client.query<SchemaFacts & { name: string }>(schemas, [names])).rows;
    const of = (name: string) => found.find((each) => each.name === name) as SchemaFacts;
    const known = await client.query<ObjectFacts>(objects, [
      [...demand.tables, ...demand.views],
      ledgerTables,
    ]);
    return {
      ...(facts as LoginFacts),
      schemas: { public: of("public"), timelift: of("timelift"), guards: of(guardSchema) },
      objects: known.rows,
    };
  } finally {
    await client.query("ROLLBACK");
  }
}

/**
 * Privileges that the session's role will lack on tables and sequences that `owner` makes in the schema public: what
 * neither default privileges nor a membership gives it.
 */
export async function readFutureLacks(
  client: pg.Client,
  owner: string,
): Promise<{ tables: string[]; sequences: string[] }> {
  const { rows } = await client.query<{ type: string; privilege: string }>(
    `SELECT type, privilege
     FROM (VALUES ('r', '{SELECT,INSERT,UPDATE,DELETE}'::text[]), ('S', '{SELECT,UPDATE}'::text[])) AS wanted (type, privileges),
       unnest(privileges) AS privilege
     WHERE NOT pg_has_role($1::text, 'USAGE')
       AND NOT pg_has_role(CASE privilege WHEN 'SELECT' THEN 'pg_read_all_data' ELSE 'pg_write_all_data' END, 'USAGE')
       AND NOT EXISTS (
         SELECT FROM pg_default_acl, aclexplode(defaclacl) AS granted
         WHERE defaclrole = (SELECT oid FROM pg_roles WHERE rolname = $1) AND defaclobjtype = wanted.type::"char"
           AND defaclnamespace IN (0, 'public'::regnamespace) AND privilege_type = privilege
           AND CASE grantee WHEN 0 THEN true ELSE pg_has_role(grantee, 'USAGE') END)`,
    [owner],
  );
  const of = (type: string) => rows.flatMap((row) => (row.type === type ? [row.privilege] : []));
  return { tables: of("r"), sequences: of("S") };
}
