import { readFileSync } from "node:fs";
import { type ConnectionOptions, getCACertificates } from "node:tls";
import { TimeliftError } from "./timelift-error.ts";

/** PostgreSQL's words for how much is demanded of a connection. Its others (allow, prefer) may end up unencrypted. */
export const tlsModes = ["disable", "require", "verify-ca", "verify-full"] as const;

/** How a connection is encrypted, and how its server proves who it is; as libpq understands the same words. */
export interface Tls {
  /**
   * - `disable`: plain text.
   * - `require`: encrypted, to whoever answers; with `rootCert` as `verify-ca`.
   * - `verify-ca`: the server's certificate was signed by one of `rootCert`.
   * - `verify-full`: and it names the host that was asked for.
   */
  mode: (typeof tlsModes)[number];
  /**
   * A PEM file with the certificates that are trusted.
   * @default the public authorities that Node knows
   */
  rootCert?: string;
}

/**
 * What pg's client takes as `ssl`.
 * @throws TimeliftError `tls-root-certificate` where the file cannot be read or holds no certificate
 */
export function tlsOptions(tls: Tls | undefined): false | ConnectionOptions {
  if (tls === undefined || tls.mode === "disable") return false;
  if (tls.mode === "require" && tls.rootCert === undefined) return { rejectUnauthorized: false };
  const trusted = { rejectUnauthorized: true, ca: trustedCertificates(tls) };
  return tls.mode === "verify-full" ? trusted : { ...trusted, checkServerIdentity: () => undefined };
}

/**
 * The certificates that are trusted, as PEM.
 * @throws TimeliftError `tls-root-certificate`
 */
export function trustedCertificates({ rootCert }: Tls): string {
  if (rootCert === undefined) return getCACertificates("default").join("\n");
  const refuse = (problem: string, cause?: unknown) =>
    new TimeliftError({
      code: "tls-root-certificate",
      subject: `sslrootcert ${rootCert}`,
      problem,
      remedy: "name the PEM file of the server's certificate authority; most services offer it for download",
      cause,
    });
  let text: string;
  try {
    text = readFileSync(rootCert, "utf8");
  } catch (error) {
    throw refuse(`it cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw refuse("it holds no certificate in PEM");
  return text;
}
