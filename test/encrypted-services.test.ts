import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { execa } from "execa";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Connection } from "../loaders/connection.ts";
import { tlsOptions } from "../loaders/tls.ts";
import { renderQueries } from "../stacks/monitoring/query.ts";
import { asSuperuser } from "../stacks/platforms/bootstrap.ts";
import { onPath, treeLinker } from "../stacks/platforms/native/sandbox.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";
import { pgbouncerExporter, postgresExporter } from "../stacks/services/exporters.ts";
import { loginOf } from "../stacks/services/login.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { type Role, roles } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { type KeyPair, makeAuthority, makeServerCertificate } from "../stacks/tls/make-certificate.ts";
import type { ServerCertificate } from "../stacks/tls/server-certificate.ts";
import { runPython } from "./application/python.ts";
import { freePorts, NativeStack, stackSecrets } from "./native-stack.ts";

const stack = new NativeStack();
const [port = 0, poolPort = 0, ofDatabase = 0, ofPool = 0] = await freePorts(4);
const database = timescaledb({ port, database: "app", memoryMb: 512 });
const pool = pgbouncer({ port: poolPort, upstreamPort: port, database: "app" });
const authorityFile = join(stack.stateDir, "authority.pem");
const otherFile = join(stack.stateDir, "other.pem");
let authority: KeyPair;
let tls: ServerCertificate;

async function start(): Promise<number[]> {
  const started = [
    await stack.start(database, stackSecrets, tls),
    await stack.start(pool, stackSecrets, tls),
  ];
  return started.map(({ pid }) => pid);
}

async function certified(by: KeyPair): Promise<ServerCertificate> {
  return { ...(await makeServerCertificate(by, ["127.0.0.1"])), authority: by.certificate };
}

beforeAll(async () => {
  authority = await makeAuthority();
  tls = await certified(authority);
  writeFileSync(authorityFile, authority.certificate);
  writeFileSync(otherFile, (await makeAuthority()).certificate);
  await start();
});
afterAll(() => stack.remove());

const verified = { mode: "verify-full", rootCert: authorityFile } as const;

async function open(more: Partial<Connection> & { port: number }): Promise<pg.Client> {
  const { tls: how = verified, user = "timelift_app_a", ...at } = more;
  const password = stackSecrets[user.replace(/_a$/, "") as Role] ?? stackSecrets.timelift_app;
  const client = new pg.Client({
    ...{ host: "127.0.0.1", database: "app", user, password, ssl: tlsOptions(how), ...at },
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function answers(more: Partial<Connection> & { port: number }): Promise<unknown> {
  const client = await open(more);
  try {
    return (await client.query("SELECT 6 * 7 AS answer")).rows[0].answer;
  } finally {
    await client.end();
  }
}

describe.each([
  ["PostgreSQL", port],
  ["PgBouncer", poolPort],
])("%s", (name, at) => {
  test("takes a client that verifies it", async () => {
    expect(await answers({ port: at })).toBe(42);
    const client = await open({ port: at });
    const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
    expect(stream.getProtocol()).toMatch(/^TLSv1\.[23]$/);
    await client.end();
  });

  test("refuses a client in plain text", async () => {
    await expect(answers({ port: at, tls: { mode: "disable" } })).rejects.toThrow(
      name === "PostgreSQL" ? /pg_hba\.conf rejects connection .*no encryption/ : /SSL required/,
    );
  });

  test("does not convince a client that trusts another authority, or calls it by another name", async () => {
    await expect(answers({ port: at, tls: { ...verified, rootCert: otherFile } })).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNATURE|SELF_SIGNED|UNABLE_TO/),
    });
    await expect(answers({ port: at, host: "localhost" })).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });

  test("refuses a TLS older than 1.2", async () => {
    const ssl = { ...(tlsOptions(verified) as object), maxVersion: "TLSv1.1", minVersion: "TLSv1" } as const;
    const login = { user: "timelift_app_a", password: stackSecrets.timelift_app };
    const client = new pg.Client({ host: "127.0.0.1", port: at, database: "app", ...login, ssl });
    await expect(client.connect()).rejects.toThrow();
  });
});

test("the pool's own connections to the server are encrypted", async () => {
  const client = await open({ port: poolPort });
  // The session is its login's, not its role's, which does not see it.
  await client.query("BEGIN; SET LOCAL ROLE NONE");
  const { rows } = await client.query("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  await client.end();
  expect(rows).toEqual([{ ssl: true, version: expect.stringMatching(/^TLSv1\.[23]$/) }]);
});

describe("exporters", () => {
  const demanding = { sslmode: "verify-full", user: loginOf("timelift_monitor", 1) } as const;
  const declared = {
    pg_up: postgresExporter({
      ...{ port: ofDatabase, upstreamPort: port, database: "app", queries: renderQueries([]), ...demanding },
    }),
    pgbouncer_up: pgbouncerExporter({ port: ofPool, poolPort, ...demanding }),
  };

  test.each(["pg_up", "pgbouncer_up"] as const)("%s by the authority, and by no other", async (metric) => {
    const exporter = declared[metric];
    const ask = async () => (await fetch(`http://127.0.0.1:${exporter.port}/metrics`)).text();
    await stack.start(exporter, { ...stackSecrets, databaseAuthority: authority.certificate });
    await expect.poll(ask, { timeout: 20_000 }).toContain(`\n${metric} 1`);
    const other = { ...stackSecrets, databaseAuthority: (await makeAuthority()).certificate };
    if (metric === "pg_up") {
      await stack.start(exporter, other);
      await expect.poll(ask, { timeout: 20_000 }).toContain(`\n${metric} 0`);
    } else {
      // This one ends where it may not log in when it starts.
      await expect(stack.start(exporter, other)).rejects.toMatchObject({ code: "service-died" });
    }
  });
});

describe("who may log in", () => {
  const socket = { host: new ServiceFolder(stack.stateDir, "timescaledb").path, port };

  test.each(roles)("the login of %s", async (role) => {
    expect(await answers({ port, user: loginOf(role, 1) })).toBe(42);
  });

  test.each(roles)("not %s itself, whatever password it was given", async (user) => {
    const at = { ...socket, host: new ServiceFolder(stack.stateDir, "timescaledb").socketFolder };
    const alter = (how: string) =>
      asSuperuser(at, "app", (client) => client.query(`ALTER ROLE ${user} ${how}`));
    await alter(`LOGIN PASSWORD '${stackSecrets[user]}'`);
    try {
      await expect(answers({ port, user })).rejects.toMatchObject({
        code: "28000",
        message: expect.stringContaining("pg_hba.conf rejects connection"),
      });
    } finally {
      await start();
    }
  });

  test("a member of a role, with a login of its own", async () => {
    socket.host = new ServiceFolder(stack.stateDir, "timescaledb").socketFolder;
    await asSuperuser(socket, "app", async (client) => {
      await client.query(
        `CREATE ROLE member LOGIN PASSWORD '${stackSecrets.timelift_app}' IN ROLE timelift_app`,
      );
      await client.query(`CREATE ROLE stranger LOGIN PASSWORD '${stackSecrets.timelift_app}'`);
      await client.query(`GRANT CONNECT ON DATABASE app TO stranger`);
    });
    expect(await answers({ port, user: "member" })).toBe(42);
  });

  test.each([
    ["the superuser", { user: "postgres" }],
    ["a role that is not declared, whatever it was granted", { user: "stranger" }],
    ["a role, to another database", { database: "postgres" }],
    ["a role, to a template", { database: "template1" }],
  ])("not %s", async (_who, more) => {
    await expect(answers({ port, ...more })).rejects.toMatchObject({
      code: "28000",
      message: expect.stringContaining("pg_hba.conf rejects connection"),
    });
  });

  test("the monitor to the database postgres", async () => {
    expect(await answers({ port, user: "timelift_monitor_a", database: "postgres" })).toBe(42);
  });
});

describe("clients with a URL that says verify-full", () => {
  const url = (at: number, rootCert: string) =>
    `postgresql://timelift_app_a:${stackSecrets.timelift_app}@127.0.0.1:${at}/app?sslmode=verify-full&sslrootcert=${encodeURIComponent(rootCert)}`;

  test("node-pg and psql", async () => {
    const client = new pg.Client(url(poolPort, authorityFile));
    await client.connect();
    expect((await client.query("SELECT 42 AS answer")).rows).toEqual([{ answer: 42 }]);
    await client.end();
    const ask = async (rootCert: string) => psql([url(port, rootCert), "-XAtc", "SELECT 6 * 7"]);
    expect((await ask(authorityFile)).stdout).toBe("42");
    expect((await ask(otherFile)).stderr).toContain("certificate verify failed");
    await expect(new pg.Client(url(port, otherFile)).connect()).rejects.toThrow();
  });

  test("psycopg2, asyncpg, and SQLAlchemy on it", async () => {
    const ask = async (rootCert: string) =>
      JSON.parse(await runPython("verified.py", url(port, rootCert))) as Record<string, unknown>;
    expect(await ask(authorityFile)).toEqual({ psycopg2: true, asyncpg: true, sqlalchemy: true });
    const refused = expect.stringMatching(/certificate verify failed/);
    expect(await ask(otherFile)).toEqual({ psycopg2: refused, asyncpg: refused, sqlalchemy: refused });
  });
});

test("a renewed certificate is shown to new clients, and no connection or process ends for it", async () => {
  const pids = await start();
  const held = await Promise.all([open({ port }), open({ port: poolPort })]);
  const backend = async (client: pg.Client) =>
    (await client.query("SELECT pg_backend_pid() AS pid")).rows[0].pid;
  const before = await backend(held[0]);
  const was = await Promise.all([shown(port), shown(poolPort)]);
  expect(was).toEqual([fingerprint(tls), fingerprint(tls)]);

  tls = await certified(authority);
  expect(await start()).toEqual(pids);
  await expect
    .poll(() => Promise.all([shown(port), shown(poolPort)]))
    .toEqual([fingerprint(tls), fingerprint(tls)]);
  expect(await backend(held[0])).toBe(before);
  expect((await held[1].query("SELECT 42 AS answer")).rows).toEqual([{ answer: 42 }]);
  await Promise.all(held.map((client) => client.end()));
});

test("so is one of another authority, which clients of both trust for a while", async () => {
  const pids = await start();
  const held = await open({ port: poolPort });
  const next = await makeAuthority();
  writeFileSync(authorityFile, next.certificate + authority.certificate);
  tls = { ...(await certified(next)), authority: next.certificate + authority.certificate };
  expect(await start()).toEqual(pids);
  await expect
    .poll(() => Promise.all([shown(port), shown(poolPort)]))
    .toEqual([fingerprint(tls), fingerprint(tls)]);
  expect((await held.query("SELECT 42 AS answer")).rows).toEqual([{ answer: 42 }]);
  await held.end();
  expect(await answers({ port: poolPort })).toBe(42);
});

test("schema changes and connections are in the log, and no password or its digest is", async () => {
  const owner = await open({ port, user: "timelift_owner_a" });
  await owner.query("CREATE TABLE audited (x int)");
  await owner.end();
  const changed = { ...stackSecrets, timelift_app: "app-Zq83-anew" };
  await stack.start(database, changed, tls);
  const log = () => new ServiceFolder(stack.stateDir, "timescaledb").logSince(0);
  await expect.poll(log).toMatch(/timelift_owner_a@app .*statement: CREATE TABLE audited/);
  expect(log()).toMatch(/connection authorized: user=timelift_owner_a database=app .*SSL enabled/);
  await expect.poll(log).toMatch(/disconnection: .*user=timelift_owner_a/);
  expect(log()).not.toMatch(/SCRAM-SHA-256\$/);
  for (const secret of Object.values(changed)) expect(log()).not.toContain(secret);
  await stack.start(database, stackSecrets, tls);
});

/** The host's psql, else the Debian tree's. */
async function psql(args: string[]) {
  const own = onPath("psql");
  const tree = own ? "" : await ensureSysroot(() => {});
  const command = own ? [own] : [...treeLinker(tree), join(tree, "usr/lib/postgresql/17/bin/psql")];
  return execa(command[0] as string, [...command.slice(1), ...args], { reject: false });
}

async function shown(at: number): Promise<string> {
  const client = await open({ port: at });
  const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
  const { fingerprint256 } = stream.getPeerCertificate();
  await client.end();
  return fingerprint256;
}

function fingerprint({ certificate }: ServerCertificate): string {
  return new X509Certificate(certificate).fingerprint256;
}
