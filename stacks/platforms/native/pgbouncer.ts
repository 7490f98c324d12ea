import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { tlsOptions, trustedCertificates } from "../../../loaders/tls.ts";
import { loginOf } from "../../services/login.ts";
import type { Secrets } from "../../services/role.ts";
import type { PgBouncerDeclaration } from "../../services/service.ts";
import { pgbouncerIni, pgbouncerUsers, stackUpstream } from "../pgbouncer-files.ts";
import { certificatePaths, clientTls } from "./certificate-files.ts";
import { upstreamLine, upstreamTls, upstreamUsers } from "./external-upstream.ts";
import { askSql } from "./health.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

const caFile = "conf/server-ca.pem";

/**
 * PgBouncer as a process. Its console answers on the Unix socket, to this user alone. The passwords of a server of others
 * nobody knows as SCRAM secrets, so there it holds passwords.
 */
export const pgbouncer: ServiceKind<PgBouncerDeclaration> = {
  secretsOf: (declaration) => declaration.users,

  async prepare(start) {
    const { declaration, folder, sandbox, secrets, tls } = start;
    const state = sandbox.inside(folder.stateMount);
    const { database, upstreamPort, upstream } = declaration;
    const ini = pgbouncerIni(declaration, {
      authFile: join(state, "secrets/userlist.txt"),
      sockets: sandbox.inside(folder.socketMount),
      listen: "127.0.0.1",
      upstream: upstream
        ? upstreamLine(upstream, upstreamPort, database)
        : stackUpstream(declaration, "127.0.0.1"),
      ...(upstream && { upstreamTls: upstreamTls(upstream, join(state, caFile)) }),
      ...(tls && { tls: certificatePaths(start) }),
    });
    if (upstream && upstream.tls.mode !== "disable") folder.write(caFile, trustedCertificates(upstream.tls));
    folder.write("secrets/userlist.txt", await userList(declaration, secrets));
    folder.write("conf/pgbouncer.ini", ini);
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "pgbouncer"),
    join(sandbox.inside(folder.stateMount), "conf/pgbouncer.ini"),
  ],

  ask: ({ declaration, folder, secrets }) => {
    const { port, database, health, upstream, generation } = declaration;
    const { role } = health;
    const [user, password] = [upstream?.names[role] ?? loginOf(role, generation), secrets[role]];
    const ssl = tlsOptions(clientTls(folder));
    return askSql({ host: "127.0.0.1", port, database, user, password, ssl }, health.query);
  },

  /** New sizes, users and passwords are taken in place, so that no application loses its connection. */
  async reload(start, before) {
    const { declaration } = start;
    if (before.port !== declaration.port) return false;
    // Connections to a server that is no longer meant would live on.
    if (!isDeepStrictEqual(placeOf(before), placeOf(declaration))) return false;
    await onConsole(start, "RELOAD");
    return true;
  },

  // SIGINT lets open transactions end; SIGTERM, since 1.23, would wait until every client has left.
  stop: { signal: "SIGINT", graceSeconds: 5 },
};

/** Runs a command of PgBouncer's console, as the user who may because the process is theirs. */
async function onConsole({ declaration, folder }: Start<PgBouncerDeclaration>, command: string) {
  const client = new pg.Client({
    host: folder.socketFolder,
    port: declaration.port,
    user: "pgbouncer",
    database: "pgbouncer",
  });
  await client.connect();
  try {
    await client.query(command);
  } finally {
    await client.end();
  }
}

/** Where a server of others is; the stack's own stays the same. */
function placeOf({ upstream, upstreamPort, database }: PgBouncerDeclaration) {
  return upstream && { ...upstream, upstreamPort, database };
}

async function userList(declaration: PgBouncerDeclaration, secrets: Secrets): Promise<string> {
  const { upstream, users } = declaration;
  return upstream ? upstreamUsers(upstream, users, secrets) : pgbouncerUsers(declaration, secrets);
}
