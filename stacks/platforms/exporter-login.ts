import { type Tls, trustedCertificates } from "../../loaders/tls.ts";
import type { SecretName, Secrets } from "../services/role.ts";
import type { PgBouncerExporterDeclaration, PostgresExporterDeclaration } from "../services/service.ts";
import { urlHost } from "../url-host.ts";

/** Which of the stack's passwords the exporters of database and pool log in with. */
export const monitorSecret = "timelift_monitor" satisfies SecretName;
/** Which of them the exporter of the cache logs in with. */
export const cacheMonitorSecret = "redis_monitor" satisfies SecretName;

/** What differs between the places where the exporters of database and pool run. */
export interface ExporterPlace {
  /** The host of the stack's own server or pool. */
  host: string;
  /** The authorities that are trusted, as it sees the file. */
  caFile: string;
}

/** How the database's exporter connects. It takes the password as libpq does, so that no URL that it could log holds it. */
export function postgresExporterUrl(
  { upstream, upstreamPort, database, user, sslmode: own = "disable" }: PostgresExporterDeclaration,
  { host, caFile }: ExporterPlace,
): string {
  const { mode, rootCert } = upstream?.tls ?? { mode: own };
  // To require TLS and to name an authority is to verify it, as libpq has it.
  const sslmode = mode === "require" && rootCert !== undefined ? "verify-ca" : mode;
  const options = new URLSearchParams({ sslmode, application_name: "timelift-monitoring" });
  if (sslmode.startsWith("verify")) options.set("sslrootcert", caFile);
  const address = urlHost(upstream?.host ?? host);
  return `postgresql://${encodeURIComponent(user)}@${address}:${upstreamPort}/${encodeURIComponent(database)}?${options}`;
}

/** How the pool's exporter connects to its console on a host; the password is apart, as above. */
export function pgbouncerExporterUrl(
  { poolPort, user, sslmode = "disable" }: PgBouncerExporterDeclaration,
  { host, caFile }: ExporterPlace,
): string {
  const options = new URLSearchParams({ sslmode });
  if (sslmode.startsWith("verify")) options.set("sslrootcert", caFile);
  return `postgres://${encodeURIComponent(user)}@${host}:${poolPort}/pgbouncer?${options}`;
}

/** A file from which libpq's clients take the password, whoever and wherever they are. */
export function passwordFile(password: string): string {
  return `*:*:*:*:${password.replace(/[\\:]/g, "\\$&")}\n`;
}

/** The authorities that an exporter trusts, as PEM, where it has to be told: the stack's, or those of a server of others. */
export function trustedBy(
  declaration: PostgresExporterDeclaration | PgBouncerExporterDeclaration,
  { databaseAuthority }: Secrets,
): string | undefined {
  const upstream = "upstream" in declaration ? declaration.upstream : undefined;
  if (upstream === undefined) return asksForAuthority(declaration) ? databaseAuthority : undefined;
  return upstream.tls.mode === "disable" ? undefined : trustedCertificates(upstream.tls);
}

/** Names of the secrets of an exporter of database or pool. */
export function exporterSecrets(
  declaration: PostgresExporterDeclaration | PgBouncerExporterDeclaration,
): SecretName[] {
  return [monitorSecret, ...(asksForAuthority(declaration) ? (["databaseAuthority"] as const) : [])];
}

function asksForAuthority({ sslmode }: { sslmode?: Tls["mode"] }): boolean {
  return sslmode?.startsWith("verify") === true;
}

/** The file by which the cache's exporter knows the password of an address, of a user by name or of none. */
export function redisPasswordFile(host: string, user: string, password: string): string {
  return `${JSON.stringify({ [`redis://${host}`]: password, [`redis://${user}@${host}`]: password })}\n`;
}
