import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { trustedCertificates } from "../../../loaders/tls.ts";
import type { Role, Secrets } from "../../services/role.ts";
import type { PgBouncerDeclaration } from "../../services/service.ts";
import { upstreamLine, upstreamTls, upstreamUsers } from "./external-upstream.ts";
import { askSql } from "./health.ts";
import { scramSecret } from "./scram-secret.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

const caFile = "conf/server-ca.pem";

/**
 * PgBouncer as a process. Its user list holds SCRAM secrets, the same as the server's, so that it logs in with
 * what the client proved and knows no password; those of a server of others nobody knows, so there it holds passwords.
 * Its console answers on the Unix socket, to this user alone.
 */
export const pgbouncer: ServiceKind<PgBouncerDeclaration> = {
  secretsOf: (declaration) => declaration.users as Role[],

  async prepare({ declaration, folder, sandbox, secrets }) {
    const state = sandbox.inside(folder.stateMount);
    const { database, upstreamPort, upstream } = declaration;
    const settings = {
      ...declaration.settings,
      listen_addr: "127.0.0.1",
      listen_port: declaration.port,
      unix_socket_dir: sandbox.inside(folder.socketMount),
      unix_socket_mode: "0700",
      auth_file: join(state, "secrets/userlist.txt"),
      ...(upstream && upstreamTls(upstream, join(state, caFile))),
    };
    const lines = [
      "[databases]",
      upstream
        ? upstreamLine(upstream, upstreamPort, database)
        : `${database} = host=127.0.0.1 port=${upstreamPort} dbname=${database}`,
      "[pgbouncer]",
      ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ];
    if (upstream && upstream.tls.mode !== "disable") folder.write(caFile, trustedCertificates(upstream.tls));
    folder.write("secrets/userlist.txt", await userList(declaration, secrets));
    folder.write("conf/pgbouncer.ini", `${lines.join("\n")}\n`);
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "pgbouncer"),
    join(sandbox.inside(folder.stateMount), "conf/pgbouncer.ini"),
  ],

  ask: ({ declaration, secrets }) => {
    const { port, database, health, upstream } = declaration;
    const role = health.role as Role;
    const [user, password] = [upstream?.names[role] ?? role, secrets[role]];
    return askSql({ host: "127.0.0.1", port, database, user, password }, health.query);
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

async function userList({ users, upstream }: PgBouncerDeclaration, secrets: Secrets): Promise<string> {
  const roles = users as Role[];
  if (upstream) return upstreamUsers(upstream, roles, secrets);
  const lines = roles.map(async (role) => `"${role}" "${await scramSecret(role, secrets[role])}"\n`);
  return (await Promise.all(lines)).join("");
}
