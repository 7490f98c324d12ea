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
  upstreamTls?: Record<string, string>;
  /**
   * Where the pool's certificate, its key and the authority's certificate are, as it sees them: then nobody comes in plain
   * text, and the stack's own server has to prove itself.
   * @default no TLS
   */
  tls?: { certificate: string; key: string; authority: string };
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
    ...(place.tls && tlsSettings(place.tls)),
    ...place.upstreamTls,
  };
  const lines = [
    "[databases]",
    place.upstream,
    "[pgbouncer]",
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
  ];
  return `${lines.join("\n")}\n`;
}

function tlsSettings({ certificate, key, authority }: NonNullable<PgBouncerPlace["tls"]>) {
  return {
    client_tls_sslmode: "require",
    client_tls_cert_file: certificate,
    client_tls_key_file: key,
    // Clients have no certificate; without this it looks for the system's authorities, and fails where there are none.
    client_tls_ca_file: authority,
    // TLS 1.2 and 1.3.
    client_tls_protocols: "secure",
    server_tls_sslmode: "verify-full",
    server_tls_ca_file: authority,
    server_tls_protocols: "secure",
  };
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
