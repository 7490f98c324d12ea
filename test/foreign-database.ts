import { randomBytes } from "node:crypto";
import type pg from "pg";
import { type Connection, connect } from "../loaders/connection.ts";
import { asSuperuser, superuser } from "../stacks/platforms/bootstrap.ts";
import { testServer } from "./postgres.ts";

const names = ["owner", "loader", "reader"] as const;

/** A database as somebody else would hand it over: made from template0, with three roles that have no rights in it. */
export interface ForeignDatabase {
  name: string;
  logins: Record<(typeof names)[number], Connection>;
  /** What of each password stays the same in a URL, and is found nowhere else. */
  tokens: string[];
  /** As the server's superuser, in this database. */
  admin<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  drop(): Promise<void>;
}

/** @param options what CREATE DATABASE takes more, e.g. `ENCODING 'LATIN1' LOCALE 'C'` */
export async function foreignDatabase(options = ""): Promise<ForeignDatabase> {
  const { socket, port } = await testServer();
  const id = randomBytes(4).toString("hex");
  const name = `foreign_${id}`;
  const tokenOf = (role: string) => `${role}Pw${id}`;
  const login = (role: string): Connection => ({
    ...{ host: "127.0.0.1", port, database: name, user: `${role}_${id}`, external: true },
    ...{ password: `p@ss:/?#%' "${tokenOf(role)}`, tls: { mode: "disable" } },
  });
  const logins = { owner: login("owner"), loader: login("loader"), reader: login("reader") };
  await asSuperuser(socket, superuser, async (client) => {
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ${options}`);
    for (const { user, password } of Object.values(logins)) {
      await client.query(`CREATE ROLE ${user} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
    }
  });
  return {
    name,
    logins,
    tokens: names.map(tokenOf),
    admin: (sql) =>
      asSuperuser(socket, name, async (client) => {
        const result = await client.query(sql);
        return (Array.isArray(result) ? result.at(-1) : result).rows;
      }),
    drop: () =>
      asSuperuser(socket, superuser, async (client) => {
        await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
        for (const { user } of Object.values(logins)) await client.query(`DROP ROLE ${user}`);
      }),
  };
}

/** The URL of a login, as a config holds it. */
export function urlOf({ user, password, host, port, database }: Connection): string {
  return `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}?sslmode=disable`;
}

/** Rows of a query, as a login. */
export async function ask<Row extends pg.QueryResultRow>(login: Connection, sql: string): Promise<Row[]> {
  const client = await connect(login, "test");
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
