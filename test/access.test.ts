import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Access, checkAccess, type Logins, requireAccess } from "../migrations/access/check-access.ts";
import type { AccessDemand } from "../migrations/access/demand.ts";
import { layGround } from "../migrations/access/lay-ground.ts";
import { ask, type ForeignDatabase, foreignDatabase } from "./foreign-database.ts";

const demand: AccessDemand = { edition: "apache", tables: ["stocks"], views: ["daily"], guards: true };

let database: ForeignDatabase;
beforeEach(async () => {
  database = await foreignDatabase();
});
afterEach(() => database.drop());

/** Each role does its own part. */
const three = (): Logins => {
  const { owner, loader, reader } = database.logins;
  return { owner, loader, readonly: reader };
};
/** As managed services often give it: one login, which owns the database. */
const one = (): Logins => {
  const { owner } = database.logins;
  return { owner, loader: owner, readonly: owner };
};
const ownDatabase = () =>
  database.admin(`ALTER DATABASE ${database.name} OWNER TO ${database.logins.owner.user}`);

const whats = ({ lacks }: Access) => lacks.map(({ what }) => what);

/** Does what a check says, as an administrator who pastes it. */
async function mend({ lacks }: Access): Promise<void> {
  for (const { mend } of lacks) {
    expect(mend, mend).toMatch(/^(GRANT|ALTER|CREATE) .*;/);
    await database.admin(mend);
  }
}

const ground = async (logins: Logins) =>
  layGround(logins, demand, await requireAccess(logins, demand), () => undefined);

describe("a database with one login that owns it", () => {
  beforeEach(ownDatabase);

  test("lacks nothing; the extension and the schema are made when asked to, and twice is as once", async () => {
    const access = await checkAccess(one(), demand);
    expect(whats(access)).toEqual([]);
    expect(access.makesExtension).toBe(true);
    expect(access.notes.join("\n")).toMatch(/extension timescaledb [\d.]+ will be made by owner_/);
    const there =
      "SELECT nspname FROM pg_namespace WHERE nspname = 'timelift' UNION SELECT extname FROM pg_extension WHERE extname = 'timescaledb'";
    expect(await database.admin(there)).toEqual([]);
    expect(await ground(one())).toMatch(/^2\./);
    expect(await database.admin(there)).toHaveLength(2);
    await ground(one());
    const again = await checkAccess(one(), demand);
    expect(again).toMatchObject({ lacks: [], makesExtension: false });
    expect(again.server).toMatch(/^PostgreSQL 1\d.*, TimescaleDB 2\./);
  });

  test("says on Apache who has to call maintain, and how many connections are left", async () => {
    const notes = (await checkAccess(one(), demand)).notes.join("\n");
    expect(notes).toMatch(/pg_cron cannot be used by owner_\w+: call timelift maintain/);
    expect(notes).toMatch(/owner_\w+ has \d+ free connections left/);
    expect((await checkAccess(one(), { ...demand, edition: "community" })).notes.join("\n")).not.toContain(
      "pg_cron",
    );
  });

  test("of another edition than the declared one is refused", async () => {
    await ground(one());
    await expect(requireAccess(one(), { ...demand, edition: "community" })).rejects.toMatchObject({
      code: "target-access",
      message: expect.stringContaining("pulumi config set timelift:edition apache"),
    });
  });

  test("that writes nothing by default, or finds another schema first, is refused", async () => {
    const { user } = database.logins.owner;
    await database.admin(
      `CREATE SCHEMA AUTHORIZATION ${user}; ALTER ROLE ${user} SET default_transaction_read_only = on`,
    );
    const access = await checkAccess(one(), demand);
    expect(whats(access)).toEqual([
      `${user} finds schema ${user} where tables without one belong to public`,
      `sessions of ${user} write nothing by default`,
    ]);
    await mend(access);
    expect(whats(await checkAccess(one(), demand))).toEqual([]);
  });

  test("with few connections, or an end to long statements, says so", async () => {
    const { user } = database.logins.owner;
    await database.admin(
      `ALTER ROLE ${user} CONNECTION LIMIT 2; ALTER ROLE ${user} SET statement_timeout = '2min'`,
    );
    const access = await checkAccess(one(), demand);
    expect(whats(access)).toEqual([`${user} has 1 free connections left, and timelift needs 3`]);
    expect(access.notes.join("\n")).toContain(`ALTER ROLE ${user} SET statement_timeout = 0;`);
  });

  test("whose tables another role made is refused, until it is a member of that role", async () => {
    const { owner, loader } = database.logins;
    await ground(one());
    await database.admin(`CREATE TABLE stocks (symbol text); ALTER TABLE stocks OWNER TO ${loader.user};
      CREATE FUNCTION timelift.retain() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION timelift.retain() OWNER TO ${loader.user}`);
    const access = await checkAccess(one(), demand);
    expect(whats(access)).toEqual([
      `${owner.user} is not the owner of public.stocks, timelift.retain, ${loader.user} is`,
    ]);
    await mend(access);
    expect(whats(await checkAccess(one(), demand))).toEqual([]);
    await database.admin(`DROP FUNCTION timelift.retain()`);
  });

  test("that is not UTF-8 is refused", async () => {
    const latin = await foreignDatabase("ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'");
    try {
      const { owner } = latin.logins;
      await latin.admin(`ALTER DATABASE ${latin.name} OWNER TO ${owner.user}`);
      const access = await checkAccess({ owner, loader: owner, readonly: owner }, demand);
      expect(whats(access)).toEqual(["the database is encoded in LATIN1, and SQLite's text is UTF-8"]);
    } finally {
      await latin.drop();
    }
  });
});

describe("a database with three logins", () => {
  test("names everything that fresh roles lack at once, and its statements mend all of it", async () => {
    const { owner, loader, reader } = database.logins;
    await database.admin(`REVOKE CONNECT, TEMPORARY ON DATABASE ${database.name} FROM PUBLIC;
      REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT CONNECT ON DATABASE ${database.name} TO ${owner.user}, ${loader.user}, ${reader.user}`);
    const access = await checkAccess(three(), demand);
    expect(access.lacks).toEqual([
      {
        what: `${owner.user} finds no schema where tables without one belong to public`,
        mend: `ALTER ROLE ${owner.user} SET search_path = public;`,
      },
      {
        what: `${owner.user} may not make tables in schema public`,
        mend: `GRANT USAGE, CREATE ON SCHEMA public TO ${owner.user};`,
      },
      {
        what: `${owner.user} may not make the schema timelift and timelift_guard`,
        mend: `GRANT CREATE ON DATABASE ${database.name} TO ${owner.user};`,
      },
      {
        what: "the extension timescaledb is not there",
        mend: `GRANT CREATE ON DATABASE ${database.name} TO ${owner.user};`,
      },
      {
        what: `${loader.user} finds no schema where tables without one belong to public`,
        mend: `ALTER ROLE ${loader.user} SET search_path = public;`,
      },
      {
        what: `${loader.user} may not make temporary tables, in which changed rows are compared`,
        mend: `GRANT TEMPORARY ON DATABASE ${database.name} TO ${loader.user};`,
      },
      {
        what: `${loader.user} may not use schema public`,
        mend: `GRANT USAGE ON SCHEMA public TO ${loader.user};`,
      },
      {
        what: `${loader.user} will lack SELECT, INSERT, UPDATE, DELETE on tables that ${owner.user} makes`,
        mend: `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner.user} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${loader.user};`,
      },
      {
        what: `${loader.user} will lack SELECT, UPDATE on sequences that ${owner.user} makes`,
        mend: `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner.user} IN SCHEMA public GRANT SELECT, UPDATE ON SEQUENCES TO ${loader.user};`,
      },
      {
        what: `${reader.user} finds no schema where tables without one belong to public`,
        mend: `ALTER ROLE ${reader.user} SET search_path = public;`,
      },
      {
        what: `${reader.user} may not use schema public`,
        mend: `GRANT USAGE ON SCHEMA public TO ${reader.user};`,
      },
      {
        what: `${reader.user} will lack SELECT on tables that ${owner.user} makes`,
        mend: `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner.user} IN SCHEMA public GRANT SELECT ON TABLES TO ${reader.user};`,
      },
      {
        what: `${reader.user} will lack SELECT on sequences that ${owner.user} makes`,
        mend: `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner.user} IN SCHEMA public GRANT SELECT ON SEQUENCES TO ${reader.user};`,
      },
    ]);
    await mend(access);
    expect(await checkAccess(three(), demand)).toMatchObject({ lacks: [], makesExtension: true });
  });

  test("needs no default privileges where roles are members of others, or read and write all data", async () => {
    await ownDatabase();
    const { owner, loader, reader } = database.logins;
    await database.admin(`GRANT ${owner.user} TO ${loader.user}; GRANT pg_read_all_data TO ${reader.user}`);
    expect(whats(await checkAccess(three(), demand))).toEqual([]);
    await database.admin(
      `REVOKE ${owner.user} FROM ${loader.user}; GRANT pg_write_all_data, pg_read_all_data TO ${loader.user}`,
    );
    expect(whats(await checkAccess(three(), demand))).toEqual([]);
    await database.admin(`REVOKE pg_write_all_data FROM ${loader.user}`);
    expect(whats(await checkAccess(three(), demand))).toEqual([
      `${loader.user} will lack INSERT, UPDATE, DELETE on tables that ${owner.user} makes`,
      `${loader.user} will lack UPDATE on sequences that ${owner.user} makes`,
    ]);
  });

  test("names what lacks on tables, sequences, views and the ledger that stand already", async () => {
    await ownDatabase();
    await mend(await checkAccess(three(), demand));
    await ground(three());
    const { owner, loader, reader } = database.logins;
    await ask(owner, "CREATE TABLE stocks (id bigint GENERATED BY DEFAULT AS IDENTITY, symbol text)");
    await ask(owner, "CREATE VIEW daily AS SELECT * FROM stocks");
    await ask(loader, "CREATE TABLE timelift.load_part (id int)");
    expect(whats(await checkAccess(three(), demand))).toEqual([]);
    await ask(loader, "INSERT INTO stocks (symbol) VALUES ('A')");
    expect(await ask(reader, "SELECT symbol FROM daily")).toEqual([{ symbol: "A" }]);
    expect(await ask(reader, "SELECT * FROM timelift.load_part")).toEqual([]);
    await database.admin(`REVOKE DELETE ON stocks FROM ${loader.user}; REVOKE ALL ON SEQUENCE stocks_id_seq FROM ${loader.user};
      REVOKE ALL ON stocks, daily, timelift.load_part FROM ${reader.user}; REVOKE USAGE ON SCHEMA timelift FROM ${reader.user};
      ALTER SCHEMA timelift OWNER TO postgres; GRANT USAGE, CREATE ON SCHEMA timelift TO ${owner.user}`);
    const access = await checkAccess(three(), demand);
    expect(whats(access)).toEqual([
      `${loader.user} lacks DELETE on public.stocks`,
      `${loader.user} lacks SELECT, UPDATE on public.stocks_id_seq`,
      `${reader.user} may not read the ledger in schema timelift`,
      `${reader.user} lacks SELECT on public.stocks, timelift.load_part, public.daily`,
    ]);
    await mend(access);
    expect(whats(await checkAccess(three(), demand))).toEqual([]);
  });

  test("CREATE SCHEMA IF NOT EXISTS asks for the right although the schema is there, so a guard does", async () => {
    await ownDatabase();
    await mend(await checkAccess(three(), demand));
    await ground(three());
    const { owner } = database.logins;
    await database.admin(`ALTER DATABASE ${database.name} OWNER TO postgres; GRANT USAGE, CREATE ON SCHEMA public TO ${owner.user};
      CREATE SCHEMA timelift_guard AUTHORIZATION ${owner.user}`);
    await expect(ask(owner, "CREATE SCHEMA IF NOT EXISTS timelift_guard")).rejects.toMatchObject({
      code: "42501",
    });
    expect(whats(await checkAccess(three(), demand))).toEqual([
      `${owner.user} may not make the schema timelift_guard`,
    ]);
    expect(whats(await checkAccess(three(), { ...demand, guards: false }))).toEqual([]);
  });
});

describe("logins that do not work", () => {
  test("are named beside all else, and no password is in the text", async () => {
    await ownDatabase();
    const { owner, loader, readonly } = three();
    await database.admin(`REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC`);
    const error = await requireAccess(
      { owner, loader: { ...loader, password: "wr0ng" }, readonly },
      demand,
    ).catch((reason) => reason);
    expect(error).toMatchObject({ code: "target-access" });
    expect(error.message).toContain(`${loader.user} cannot connect: the password of ${loader.user} is wrong`);
    expect(error.message).toContain(`${readonly.user} cannot connect: it refused ${readonly.user}`);
    expect(error.message).toContain("GRANT CONNECT ON DATABASE");
    for (const password of ["wr0ng", loader.password, owner.password])
      expect(error.message).not.toContain(password);
  });

  test("of a server that is not there, and of a database that is not, end it at once", async () => {
    const { owner, loader, readonly } = one();
    const nowhere = { ...owner, port: 1 };
    await expect(
      checkAccess({ owner: nowhere, loader: nowhere, readonly: nowhere }, demand),
    ).rejects.toMatchObject({
      code: "database-unreachable",
      remedy: expect.stringContaining("timelift:targetUrl"),
    });
    const missing = { ...owner, database: "nosuch" };
    await expect(checkAccess({ owner: missing, loader, readonly }, demand)).rejects.toMatchObject({
      code: "database-missing",
    });
  });
});
