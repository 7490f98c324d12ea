import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Connection, connect } from "../loaders/connection.ts";
import { runLoad } from "../loaders/run-load.ts";
import type { Tls } from "../loaders/tls.ts";
import { copyOut } from "../loaders/validate/copy-out.ts";
import { withTarget } from "../loaders/validate/target-session.ts";
import { checkAccess } from "../migrations/access/check-access.ts";
import { loginNames } from "../stacks/logins.ts";
import { asSuperuser } from "../stacks/platforms/bootstrap.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { accessToAll, timescaledb } from "../stacks/services/timescaledb.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { freePorts, NativeStack, stackSecrets } from "./native-stack.ts";
import { databaseFromTemplate } from "./postgres.ts";

const stack = new NativeStack();
const folder = mkdtempSync(join(tmpdir(), "timelift-tls-"));
const [port = 0, poolPort = 0] = await freePorts(2);
let certificates: Certificates;
let other: Certificates;

beforeAll(async () => {
  certificates = await makeCertificates(folder, "IP:127.0.0.1");
  mkdirSync(join(folder, "other"));
  other = await makeCertificates(join(folder, "other"), "IP:127.0.0.1");
  await stack.start(timescaledb({ port, database: "app", memoryMb: 512, access: accessToAll }));
  const { data, socketFolder } = new ServiceFolder(stack.stateDir, "timescaledb");
  copyFileSync(certificates.certificate, join(data, "server.crt"));
  copyFileSync(certificates.key, join(data, "server.key"));
  await asSuperuser({ host: socketFolder, port }, "app", async (client) => {
    await client.query(`CREATE DATABASE "odd name"`);
    await client.query(`GRANT CONNECT ON DATABASE "odd name" TO timelift_owner, timelift_readonly`);
    await client.query("ALTER SYSTEM SET ssl = on");
    await client.query("SELECT pg_reload_conf()");
  });
});
afterAll(async () => {
  await stack.remove();
  rmSync(folder, { recursive: true });
});

const at = (host: string, tls: Tls, more: Partial<Connection> = {}): Connection => ({
  ...{ host, port, database: "app", user: "timelift_owner_a", password: stackSecrets.timelift_owner },
  ...{ external: true, tls, ...more },
});

const encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
async function isEncrypted(connection: Connection): Promise<boolean> {
  const client = await connect(connection, "test");
  const { rows } = await client.query(encrypted);
  await client.end();
  return rows[0].ssl;
}

describe("a connection", () => {
  test.each<[string, string, Tls["mode"], boolean]>([
    ["127.0.0.1", "disable", "disable", false],
    ["127.0.0.1", "require", "require", true],
    ["localhost", "require", "require", true],
  ])("to %s with sslmode=%s", async (host, _name, mode, expected) => {
    expect(await isEncrypted(at(host, { mode }))).toBe(expected);
  });

  test("with a certificate authority is verified by it, and by the host's name where that is asked for", async () => {
    const rootCert = certificates.ca;
    expect(await isEncrypted(at("127.0.0.1", { mode: "verify-full", rootCert }))).toBe(true);
    expect(await isEncrypted(at("localhost", { mode: "verify-ca", rootCert }))).toBe(true);
    expect(await isEncrypted(at("localhost", { mode: "require", rootCert }))).toBe(true);
    await expect(isEncrypted(at("localhost", { mode: "verify-full", rootCert }))).rejects.toMatchObject({
      code: "database-tls",
      message: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID"),
      remedy: expect.stringContaining("sslrootcert=FILE"),
    });
  });

  test.each(["require", "verify-ca", "verify-full"] as const)(
    "with another authority and sslmode=%s is refused",
    async (mode) => {
      const refused = {
        code: "database-tls",
        message: expect.stringContaining("its certificate does not convince"),
      };
      await expect(isEncrypted(at("127.0.0.1", { mode, rootCert: other.ca }))).rejects.toMatchObject(refused);
      if (mode === "verify-full")
        await expect(isEncrypted(at("127.0.0.1", { mode }))).rejects.toMatchObject(refused);
    },
  );

  test("names an authority's file that is missing or holds none", async () => {
    const code = "tls-root-certificate";
    const missing = join(folder, "missing.pem");
    await expect(
      isEncrypted(at("localhost", { mode: "verify-full", rootCert: missing })),
    ).rejects.toMatchObject({
      code,
      message: expect.stringContaining("ENOENT"),
    });
    writeFileSync(join(folder, "empty.pem"), "nothing");
    const rootCert = join(folder, "empty.pem");
    await expect(isEncrypted(at("localhost", { mode: "verify-ca", rootCert }))).rejects.toMatchObject({
      code,
    });
  });

  test("to a server without TLS is refused, rather than made in plain text", async () => {
    const database = await databaseFromTemplate("tls");
    const { owner } = database;
    await expect(isEncrypted({ ...owner, external: true, tls: { mode: "require" } })).rejects.toMatchObject({
      code: "database-tls",
      message: expect.stringContaining("it speaks no TLS"),
    });
    await database.drop();
  });

  test("that only reads cannot write, whatever its role may do", async () => {
    const client = await connect(at("localhost", { mode: "require" }, { readOnly: true }), "test");
    await expect(client.query("CREATE TABLE t (x int)")).rejects.toMatchObject({ code: "25006" });
    await client.end();
  });

  test("brings a large COPY whole to the validator, as in plain text", async () => {
    const read = (tls: Tls) =>
      withTarget(at("127.0.0.1", tls), "test", undefined, async (client) => {
        let [messages, bytes, sum] = [0, 0, 0];
        await copyOut(
          client,
          "COPY (SELECT i, md5(i::text) FROM generate_series(1, 200000) i) TO STDOUT",
          (buffer, _view, start, end) => {
            messages += 1;
            bytes += end - start;
            for (let index = start; index < end; index += 1)
              sum = (sum * 31 + (buffer[index] ?? 0)) % 1_000_003;
          },
        );
        return { messages, bytes, sum };
      });
    const plain = await read({ mode: "disable" });
    expect(plain.messages).toBe(200_000);
    expect(await read({ mode: "verify-full", rootCert: certificates.ca })).toEqual(plain);
  });
});

test("a load over TLS, in two lanes, brings every row, and again finds nothing to do", async () => {
  const source = join(folder, "app.db");
  const sqlite = new Database(source);
  sqlite.exec(`CREATE TABLE readings (id INTEGER PRIMARY KEY, device TEXT, value REAL);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
    INSERT INTO readings SELECT i, 'device ' || (i % 97), i / 7.0 FROM n`);
  const sum =
    "SELECT count(*) AS rows, sum(id) AS ids, min(value) AS least, max(value) AS most FROM readings";
  const expected = sqlite.prepare(sum).get();
  sqlite.close();
  const tls: Tls = { mode: "verify-full", rootCert: certificates.ca };
  const owner = await connect(at("127.0.0.1", tls), "test");
  await owner.query("CREATE TABLE readings (id bigint, device text, value double precision)");
  const password = stackSecrets.timelift_loader;
  const args = {
    ...{ workload: "tls", loader: { tables: { readings: {} } }, source, copyPath: join(folder, "copy.db") },
    ...{ target: at("127.0.0.1", tls, { user: "timelift_loader_a", password }), workers: 2 },
  };
  expect((await runLoad(args)).tables.readings).toMatchObject({ inserted: 200_000, rejected: 0 });
  expect((await runLoad(args)).tables.readings).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  const { rows } = await owner.query(sum);
  expect({ ...rows[0], rows: Number(rows[0].rows), ids: Number(rows[0].ids) }).toEqual(expected);
  await owner.end();
});

describe("a pool in front of a server of others", () => {
  const names = loginNames(undefined, 1);
  const pool = (database: string, rootCert: string) =>
    pgbouncer({
      ...{ port: poolPort, upstreamPort: port, database },
      upstream: { host: "127.0.0.1", tls: { mode: "verify-full", rootCert }, names },
    });
  const through = (database: string) => at("127.0.0.1", { mode: "disable" }, { database, port: poolPort });

  test("logs in with passwords over verified TLS, also to a name that it cannot write", async () => {
    await stack.start(pool("odd name", certificates.ca));
    expect(await isEncrypted(through("odd name"))).toBe(true);
    await stack.start(pool("app", certificates.ca));
    expect(await isEncrypted(through("app"))).toBe(true);
    await expect(isEncrypted(through("postgres"))).rejects.toThrow("no such database");
  });

  test("is found out where the database itself is wanted", async () => {
    const owner = through("app");
    const { lacks } = await checkAccess(
      { owner, loader: owner, readonly: owner },
      { edition: "apache", tables: [], views: [], guards: false },
    );
    expect(lacks.map(({ what }) => what)).toContain(
      "two sessions get the same server process: a pooler in transaction mode stands in between",
    );
  });

  test("does not start in front of a server whose certificate does not convince, and its log says so", async () => {
    const declaration = pool("app", other.ca);
    declaration.health.timeoutSeconds = 3;
    await expect(stack.start(declaration)).rejects.toThrow(/certificate verify failed|TLS handshake/);
  });
});
