import type { Role, Secrets } from "../services/role.ts";
import type { PgBouncerDeclaration } from "../services/service.ts";
import { scramSecret } from "./scram-secret.ts";

/** What differs between the places where a pool runs. */
export interface PgBouncerPlace {
  /** Folder of its files, as it sees it. */
  conf: string;
  /** Folder of the Unix socket, on which its console answers to its own user. */
  sockets: string;
  /** Addresses that it listens on. */
  listen: string;
  /** Host of the database server. */
  upstream: string;
}

/** The text of pgbouncer.ini. */
export function pgbouncerIni(declaration: PgBouncerDeclaration, place: PgBouncerPlace): string {
  const { database, upstreamPort, port } = declaration;
  const settings = {
    ...declaration.settings,
    listen_addr: place.listen,
    listen_port: port,
    unix_socket_dir: place.sockets,
    unix_socket_mode: "0700",
    auth_file: `${place.conf}/userlist.txt`,
  };
  const lines = [
    "[databases]",
    `${database} = host=${place.upstream} port=${upstreamPort} dbname=${database}`,
    "[pgbouncer]",
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * The text of userlist.txt. It holds SCRAM secrets, the same as the server's, so that the pool logs in with what the
 * client proved and knows no password.
 */
export async function pgbouncerUsers(users: string[], secrets: Secrets): Promise<string> {
  const lines = await Promise.all(
    users.map(async (user) => `"${user}" "${await scramSecret(user, secrets[user as Role])}"`),
  );
  return `${lines.join("\n")}\n`;
}
