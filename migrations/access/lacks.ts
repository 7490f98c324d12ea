import type { AccessDemand } from "./demand.ts";
import type { LoginFacts, ObjectFacts, SchemaFacts } from "./login-facts.ts";

/** Something that a database does not let timelift do. */
export interface Lack {
  /** What, and who: `app_loader may not read public.stocks`. */
  what: string;
  /** The statement that mends it, or what to do. */
  mend: string;
}

/** Privileges that the loader will lack on what the owner makes. */
export interface FutureLacks {
  tables: string[];
  sequences: string[];
}

/** What the role lacks that runs migrations: it makes tables in public and keeps timelift's books. */
export function ownerLacks(owner: LoginFacts, demand: AccessDemand): Lack[] {
  const { role, database, schemas, createsSchemas } = owner;
  const lacks = [...sessionLacks(owner), ...writingLacks(owner)];
  const say = (when: boolean, what: string, mend: string) => {
    if (when) lacks.push({ what: `${role} ${what}`, mend });
  };
  if (owner.encoding !== "UTF8") {
    lacks.push({
      what: `the database is encoded in ${owner.encoding}, and SQLite's text is UTF-8`,
      mend: `CREATE DATABASE …  ENCODING 'UTF8' TEMPLATE template0; and name that one`,
    });
  }
  const { public: tables, timelift } = schemas;
  say(
    !(tables.usage && tables.create),
    "may not make tables in schema public",
    `GRANT USAGE, CREATE ON SCHEMA public TO ${role};`,
  );
  const schemaWanted = [
    ...(timelift.there ? [] : ["timelift"]),
    // CREATE SCHEMA IF NOT EXISTS asks for the right although the schema is there.
    ...(demand.guards ? ["timelift_guard"] : []),
  ];
  say(
    schemaWanted.length > 0 && !createsSchemas,
    `may not make the schema ${schemaWanted.join(" and ")}`,
    `GRANT CREATE ON DATABASE ${database} TO ${role};`,
  );
  say(
    timelift.there && !(timelift.usage && timelift.create),
    "may not keep its books in schema timelift",
    `GRANT USAGE, CREATE ON SCHEMA timelift TO ${role};`,
  );
  const foreign = owner.objects.filter(({ owns, ledger, kind }) => !owns && !ledger && kind !== "sequence");
  for (const [maker, objects] of Map.groupBy(foreign, (object) => object.owner)) {
    say(true, `is not the owner of ${namesOf(objects)}, ${maker} is`, `GRANT ${maker} TO ${role};`);
  }
  return lacks;
}

/** What the role lacks that writes rows and keeps the ledger. */
export function loaderLacks(loader: LoginFacts, owner: LoginFacts | undefined, future: FutureLacks): Lack[] {
  const { role, database, schemas, temporary, objects } = loader;
  const lacks = [...sessionLacks(loader), ...writingLacks(loader)];
  if (!temporary) {
    lacks.push({
      what: `${role} may not make temporary tables, in which changed rows are compared`,
      mend: `GRANT TEMPORARY ON DATABASE ${database} TO ${role};`,
    });
  }
  if (role === owner?.role) return lacks;
  lacks.push(...usageLacks(loader));
  const { timelift } = schemas;
  if (timelift.there && !(timelift.usage && timelift.create) && !owner?.schemas.timelift.owns) {
    lacks.push({
      what: `${role} may not keep its ledger in schema timelift`,
      mend: `GRANT USAGE, CREATE ON SCHEMA timelift TO ${role};`,
    });
  }
  const used = objects.filter(({ kind, ledger, schema }) => {
    return kind === "sequence" || (kind === "table" && (ledger || schema === "public"));
  });
  lacks.push(...objectLacks(role, used, ["SELECT", "INSERT", "UPDATE", "DELETE"]));
  if (owner) lacks.push(...futureLacks(role, owner.role, future, ["SELECT", "INSERT", "UPDATE", "DELETE"]));
  return lacks;
}

/** What the role lacks that only reads, to validate. */
export function readonlyLacks(
  reader: LoginFacts,
  owner: LoginFacts | undefined,
  future: FutureLacks,
): Lack[] {
  const { role, schemas, objects } = reader;
  const lacks = sessionLacks(reader);
  if (role === owner?.role) return lacks;
  lacks.push(...usageLacks(reader));
  const { timelift } = schemas;
  if (timelift.there && !timelift.usage && !owner?.schemas.timelift.owns) {
    lacks.push({
      what: `${role} may not read the ledger in schema timelift`,
      mend: `GRANT USAGE ON SCHEMA timelift TO ${role};`,
    });
  }
  const read = objects.filter(
    ({ kind, ledger, schema }) => kind !== "function" && (ledger || schema === "public"),
  );
  lacks.push(...objectLacks(role, read, ["SELECT"]));
  if (owner) lacks.push(...futureLacks(role, owner.role, future, ["SELECT"]));
  return lacks;
}

/** Every role meets the same tables under the same names. */
function sessionLacks({ role, schema }: LoginFacts): Lack[] {
  if (schema === "public") return [];
  return [
    {
      what: `${role} finds ${schema === null ? "no schema" : `schema ${schema}`} where tables without one belong to public`,
      mend: `ALTER ROLE ${role} SET search_path = public;`,
    },
  ];
}

function writingLacks({ role, readOnly, standby }: LoginFacts): Lack[] {
  if (standby) {
    return [
      {
        what: "the server is a standby, which takes no rows",
        mend: "name the primary in timelift:targetUrl",
      },
    ];
  }
  if (!readOnly) return [];
  return [
    {
      what: `sessions of ${role} write nothing by default`,
      mend: `ALTER ROLE ${role} RESET default_transaction_read_only;  -- or of the database, ALTER DATABASE`,
    },
  ];
}

function usageLacks({ role, schemas }: { role: string; schemas: { public: SchemaFacts } }): Lack[] {
  if (schemas.public.usage) return [];
  return [{ what: `${role} may not use schema public`, mend: `GRANT USAGE ON SCHEMA public TO ${role};` }];
}

/** A line for all objects that lack the same. */
function objectLacks(role: string, objects: ObjectFacts[], wanted: string[]): Lack[] {
  const lacking = objects.flatMap((object) => {
    const missing = object.lacking.filter((privilege) => wanted.includes(privilege));
    return missing.length > 0 ? [{ object, privileges: missing.join(", ") }] : [];
  });
  const groups = Map.groupBy(
    lacking,
    ({ object, privileges }) => `${object.kind === "sequence"} ${privileges}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [
      {
        object: { kind },
        privileges,
      } = { object: { kind: "table" }, privileges: "" },
    ] = group;
    const names = group.map(({ object }) => object);
    return [
      {
        what: `${role} lacks ${privileges} on ${namesOf(names)}`,
        mend: `GRANT ${privileges} ON ${kind === "sequence" ? "SEQUENCE " : ""}${names.map(({ name }) => name).join(", ")} TO ${role};`,
      },
    ];
  });
}

function futureLacks(role: string, owner: string, future: FutureLacks, wanted: string[]): Lack[] {
  return (["tables", "sequences"] as const).flatMap((kind) => {
    const privileges = future[kind].filter((privilege) => wanted.includes(privilege)).join(", ");
    if (privileges === "") return [];
    return [
      {
        what: `${role} will lack ${privileges} on ${kind} that ${owner} makes`,
        mend: `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public GRANT ${privileges} ON ${kind.toUpperCase()} TO ${role};`,
      },
    ];
  });
}

const namedObjects = 5;

function namesOf(objects: ObjectFacts[]): string {
  const names = objects.slice(0, namedObjects).map(({ name }) => name);
  const more = objects.length - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
