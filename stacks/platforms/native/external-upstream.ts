import type { Role, Secrets } from "../../services/role.ts";
import type { ExternalUpstream } from "../../services/service.ts";

/** The line of `[databases]` for a server of others. */
export function upstreamLine({ host }: ExternalUpstream, port: number, database: string): string {
  // PgBouncer can write few names; for any other, whatever a client asks for is this database.
  const name = /^[\w.-]+$/.test(database) ? database : "*";
  const place = Object.entries({ host, port, dbname: database });
  return `${name} = ${place.map(([key, value]) => `${key}='${String(value).replaceAll("'", "''")}'`).join(" ")}`;
}

/** Settings of the encryption to it; as libpq has it, to require TLS and to name an authority is to verify it. */
export function upstreamTls(
  { tls: { mode, rootCert } }: ExternalUpstream,
  caFile: string,
): Record<string, string> {
  if (mode === "disable") return { server_tls_sslmode: mode };
  const verified = mode === "require" && rootCert !== undefined ? "verify-ca" : mode;
  return { server_tls_sslmode: verified, server_tls_ca_file: caFile };
}

/** The user list, with passwords: the server's SCRAM secrets are known to nobody else. One login may be several roles. */
export function upstreamUsers({ names }: ExternalUpstream, roles: Role[], secrets: Secrets): string {
  const users = new Map(roles.map((role) => [names[role], secrets[role]]));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return [...users].map(([name, password]) => `${quoted(name)} ${quoted(password)}\n`).join("");
}
