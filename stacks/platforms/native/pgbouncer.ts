import { join } from "node:path";
import pg from "pg";
import type { Role } from "../../services/role.ts";
import type { PgBouncerDeclaration } from "../../services/service.ts";
import { pgbouncerIni, pgbouncerUsers } from "../pgbouncer-files.ts";
import { askSql } from "./health.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

/** PgBouncer as a process. Its console answers on the Unix socket, to this user alone. */
export const pgbouncer: ServiceKind<PgBouncerDeclaration> = {
  secretsOf: (declaration) => declaration.users as Role[],

  async prepare({ declaration, folder, sandbox, secrets }) {
    const ini = pgbouncerIni(declaration, {
      conf: join(sandbox.inside(folder.stateMount), "conf"),
      sockets: sandbox.inside(folder.socketMount),
      listen: "127.0.0.1",
      upstream: "127.0.0.1",
    });
    folder.write("conf/userlist.txt", await pgbouncerUsers(declaration.users, secrets));
    folder.write("conf/pgbouncer.ini", ini);
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
