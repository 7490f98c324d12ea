import { join } from "node:path";
import pg from "pg";
import type { Role } from "../../services/role.ts";
import type { PgBouncerDeclaration } from "../../services/service.ts";
import { askSql } from "./health.ts";
import { scramSecret } from "./scram-secret.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

/**
 * PgBouncer as a process. Its user list holds SCRAM secrets, the same as the server's, so that it logs in with
 * what the client proved and knows no password. Its console answers on the Unix socket, to this user alone.
 */
export const pgbouncer: ServiceKind<PgBouncerDeclaration> = {
  secretsOf: (declaration) => declaration.users as Role[],

  async prepare({ declaration, folder, sandbox, secrets }) {
    const state = sandbox.inside(folder.stateMount);
    const { database, upstreamPort } = declaration;
    const settings = {
      ...declaration.settings,
      listen_addr: "127.0.0.1",
      listen_port: declaration.port,
      unix_socket_dir: sandbox.inside(folder.socketMount),
      unix_socket_mode: "0700",
      auth_file: join(state, "conf/userlist.txt"),
    };
    const lines = [
      "[databases]",
      `${database} = host=127.0.0.1 port=${upstreamPort} dbname=${database}`,
      "[pgbouncer]",
      ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    ];
    const users = await Promise.all(
      declaration.users.map(async (user) => `"${user}" "${await scramSecret(user, secrets[user as Role])}"`),
    );
    folder.write("conf/userlist.txt", `${users.join("\n")}\n`);
    folder.write("conf/pgbouncer.ini", `${lines.join("\n")}\n`);
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "pgbouncer"),
    join(sandbox.inside(folder.stateMount), "conf/pgbouncer.ini"),
  ],

  ask: ({ declaration, secrets }) => {
    const { port, database, health } = declaration;
    const password = secrets[health.role as Role];
    return askSql({ host: "127.0.0.1", port, database, user: health.role, password }, health.query);
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
