import type pg from "pg";

const ours = "rolname LIKE 'timelift\\_%'";

/** What catalogs say of the roles: attributes, settings, memberships, and whether there is a password. */
const roleQueries = {
  roles: `
    SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
      rolconnlimit, rolpassword IS NOT NULL AS has_password,
      coalesce(rolvaliduntil, 'infinity') = 'infinity' AS valid_for_ever
    FROM pg_authid WHERE ${ours} ORDER BY rolname`,
  settings: `
    SELECT rolname, setting FROM pg_db_role_setting JOIN pg_authid ON pg_authid.oid = setrole, unnest(setconfig) setting
    WHERE ${ours} AND setdatabase = 0 ORDER BY rolname, setting`,
  memberships: `
    SELECT roleid::regrole::text AS role, member::regrole::text AS member, admin_option, inherit_option, set_option
    FROM pg_auth_members JOIN pg_authid ON pg_authid.oid = member WHERE ${ours} ORDER BY 1, 2`,
};

const acl = (column: string, kind: string, owner: string) => `
  (SELECT array_agg(format('%s %s%s', coalesce(nullif(grantee, 0)::regrole::text, 'public'), privilege_type,
     CASE WHEN is_grantable THEN ' grantable' ELSE '' END) ORDER BY grantee::regrole::text, privilege_type)
   FROM aclexplode(coalesce(${column}, acldefault('${kind}', ${owner})))) AS acl`;

/** What they say of a database: owner, privileges, extensions, schemas, default privileges. */
const databaseQueries = {
  databases: `
    SELECT CASE datname WHEN current_database() THEN 'this' ELSE datname END AS name, datdba::regrole::text AS owner,
      datconnlimit, ${acl("datacl", "d", "datdba")}
    FROM pg_database WHERE datname IN (current_database(), 'postgres', 'template1') ORDER BY 1`,
  extensions: "SELECT extname, extversion, extnamespace::regnamespace::text FROM pg_extension ORDER BY 1",
  schemas: `
    SELECT nspname, nspowner::regrole::text AS owner, ${acl("nspacl", "n", "nspowner")}
    FROM pg_namespace WHERE nspname IN ('public', 'timelift', 'cron') ORDER BY 1`,
  defaults: `
    SELECT defaclrole::regrole::text AS maker, defaclnamespace::regnamespace::text AS schema, defaclobjtype,
      ${acl("defaclacl", "r", "defaclrole")}
    FROM pg_default_acl ORDER BY 1, 2, 3`,
};

export type Catalog = Record<keyof typeof roleQueries | keyof typeof databaseQueries, unknown[]>;

/** What the catalogs say of the roles and of the database that a superuser is connected to; no password. */
export async function readCatalog(client: pg.Client): Promise<Catalog> {
  const found: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries({ ...roleQueries, ...databaseQueries })) {
    found[name] = (await client.query(sql)).rows;
  }
  return found as Catalog;
}
