import { passwordsByLogin } from "../services/login.ts";
import type { Secrets } from "../services/role.ts";
import type { PgBouncerDeclaration } from "../services/service.ts";
import { scramSecret } from "./scram-secret.ts";

/** What differs between the places where a pool runs. */
export interface PgBouncerPlace {
  /** Its list of users, as it sees it. */
  authFile: string;
  /** Folder of the Unix socket, on which its console answers to its own user. */
  sockets: string;
  /** Addresses that it listens on. */
  listen: string;
  /** The line that says where the database is: `stackUpstream`, or that of a server of others. */
  upstream: string;
  /** Settings by which a server of others is trusted. */
  tls?: Record<string, string>;
}

/** The text of pgbouncer.ini. */
export function pgbouncerIni(declaration: PgBouncerDeclaration, place: PgBouncerPlace): string {
  const settings = {
    ...declaration.settings,
    listen_addr: place.listen,
    listen_port: declaration.port,
    unix_socket_dir: place.sockets,
    unix_socket_mode: "0700",
    auth_file: place.authFile,
    ...place.tls,
  };
  const lines = [
    "[databases]",
    place.upstream,
    "[pgbouncer]",
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** The line for the stack's own server on a host. */
export function stackUpstream({ database, upstreamPort }: PgBouncerDeclaration, host: string): string {
  return `${database} = host=${host} port=${upstreamPort} dbname=${database}`;
}

/**
 * The text of userlist.txt. It holds SCRAM secrets, the same as the server's, so that the pool logs in with what the
 * client proved and knows no password.
 */
export async function pgbouncerUsers(
  { users, generation }: Pick<PgBouncerDeclaration, "users" | "generation">,
  secrets: Secrets,
): Promise<string> {
  const lines = await Promise.all(
    passwordsByLogin(secrets, generation, users).map(
      async ([login, password]) => `"${login}" "${await scramSecret(login, password)}"`,
    ),
  );
  return `${lines.join("\n")}\n`;
}
