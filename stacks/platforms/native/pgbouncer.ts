import { join } from "node:path";
import pg from "pg";
import { type Tls, trustedCertificates } from "../../../loaders/tls.ts";
import type { Role, Secrets } from "../../services/role.ts";
import type { PgBouncerDeclaration } from "../../services/service.ts";
import { askSql } from "./health.ts";
import { scramSecret } from "./scram-secret.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

const caFile = "conf/server-ca.pem";

/**
 * PgBouncer as a process. In front of the stack's own server its user list holds SCRAM secrets, the same as the
 * server's, so that it logs in with what the client proved and knows no password. A server of others has secrets that
 * nobody tells: there the list, readable by this user alone, holds the passwords. Its console answers on the Unix
 * socket, to this user alone.
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
      auth_file: join(state, "conf/userlist.txt"),
      ...(upstream && serverTls(upstream.tls, join(state, caFile))),
    };
    const place = { host: upstream?.host ?? "127.0.0.1", port: upstreamPort, dbname: database };
    const lines = [
      "[databases]",
      `"${database.replaceAll('"', '""')}" = ${connectString(place)}`,
      "[pgbouncer]",
      ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ];
    if (upstream && upstream.tls.mode !== "disable") folder.write(caFile, trustedCertificates(upstream.tls));
    folder.write("conf/userlist.txt", await userList(declaration, secrets));
    folder.write("conf/pgbouncer.ini", `${lines.join("\n")}\n`);
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "pgbouncer"),
    join(sandbox.inside(folder.stateMount), "conf/pgbouncer.ini"),
  ],

  ask: ({ declaration, secrets }) => {
    const { port, database, health } = declaration;
    const role = health.role as Role;
    const [user, password] = [nameOf(declaration, role), secrets[role]];
    return askSql({ host: "127.0.0.1", port, database, user, password }, health.query);
  },

  /** New sizes, users and passwords are taken in place, so that no application loses its connection. */
  async reload(start, before) {
    if (before.port !== start.declaration.port) return false;
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

/** What a role is called on the server behind the pool. */
function nameOf({ upstream }: PgBouncerDeclaration, role: Role): string {
  return upstream?.names[role] ?? role;
}

async function userList(declaration: PgBouncerDeclaration, secrets: Secrets): Promise<string> {
  // One login of an external server may stand for several roles.
  const users = new Map<string, string>();
  for (const role of declaration.users as Role[]) {
    const name = nameOf(declaration, role);
    users.set(name, declaration.upstream ? secrets[role] : await scramSecret(name, secrets[role]));
  }
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return [...users].map(([name, secret]) => `${quoted(name)} ${quoted(secret)}\n`).join("");
}

/** As libpq has it: to require TLS and to name a certificate authority is to verify it. */
function serverTls({ mode, rootCert }: Tls, file: string): Record<string, string> {
  if (mode === "disable") return { server_tls_sslmode: mode };
  const verified = mode === "require" && rootCert !== undefined ? "verify-ca" : mode;
  return { server_tls_sslmode: verified, server_tls_ca_file: file };
}

function connectString(place: Record<string, string | number>): string {
  return Object.entries(place)
    .map(([name, value]) => `${name}='${String(value).replaceAll("'", "''")}'`)
    .join(" ");
}
