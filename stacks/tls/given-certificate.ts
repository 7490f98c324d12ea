import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { TimeliftError } from "../../loaders/timelift-error.ts";
import type { ServerCertificate } from "./server-certificate.ts";
import { isPem, type TlsConfig } from "./tls-config.ts";

type Part = keyof ServerCertificate;

/**
 * The certificate that `timelift:tls` brings, or undefined where one is to be generated. It is proved here, so that no
 * server is given one that its clients would refuse: the key is its own, the authority signed it, it is valid now, and it
 * names all of `names`, by which timelift's own clients call the servers.
 * @throws TimeliftError `tls-certificate`
 */
export function givenCertificate(
  { certificate, key, authority }: TlsConfig,
  names: string[],
): ServerCertificate | undefined {
  if (certificate === undefined || key === undefined || authority === undefined) return undefined;
  const given = {
    certificate: textOf("certificate", certificate),
    key: textOf("key", key),
    authority: textOf("authority", authority),
  };
  const [own, ...between] = certificatesOf("certificate", given.certificate);
  const authorities = certificatesOf("authority", given.authority);
  const server = own as X509Certificate;
  if (!server.checkPrivateKey(keyOf(given.key))) throw refused("key", "it is not the key of the certificate");
  const [begin, end] = [new Date(server.validFrom), new Date(server.validTo)];
  if (begin > new Date()) throw refused("certificate", `it is valid from ${begin.toISOString()} on only`);
  if (end < new Date()) throw refused("certificate", `it has ended on ${end.toISOString().slice(0, 10)}`);
  requireSigned(server, between, authorities);
  const missing = names.filter((name) =>
    isIP(name) === 0 ? server.checkHost(name) === undefined : server.checkIP(name) === undefined,
  );
  if (missing.length > 0) {
    throw refused(
      "certificate",
      `it does not name ${missing.join(", ")}, by which timelift calls the servers (it names ${server.subjectAltName ?? "none"})`,
      `have it made for ${names.join(", ")} and the names that your applications use`,
    );
  }
  return given;
}

/** Follows the chain from the server's certificate to an authority. */
function requireSigned(
  server: X509Certificate,
  between: X509Certificate[],
  authorities: X509Certificate[],
): void {
  const isBy = (signed: X509Certificate) => (signer: X509Certificate) =>
    signed.checkIssued(signer) && signed.verify(signer.publicKey);
  const left = new Set(between);
  let at = server;
  while (!authorities.some(isBy(at))) {
    const next = [...left].find(isBy(at));
    if (next === undefined) {
      throw refused(
        "authority",
        `it did not sign the certificate, whose issuer is ${at.issuer.replaceAll("\n", ", ")}`,
        "name the certificate of that authority, or put the ones between them into timelift:tls.certificate, after the server's own",
      );
    }
    left.delete(next);
    at = next;
  }
}

function textOf(part: Part, value: string): string {
  if (isPem(value)) return value.endsWith("\n") ? value : `${value}\n`;
  try {
    return readFileSync(value, "utf8");
  } catch (error) {
    throw refused(part, `its file ${value} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function certificatesOf(part: Part, text: string): X509Certificate[] {
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (pems === null) throw refused(part, "it holds no certificate in PEM");
  return pems.map((pem) => {
    try {
      return new X509Certificate(pem);
    } catch (error) {
      throw refused(part, `it cannot be read (${(error as Error).message})`);
    }
  });
}

function keyOf(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // What OpenSSL says of it is of no help, and the text itself is to be shown to nobody.
    throw refused("key", "it is no private key in PEM without a passphrase");
  }
}

function refused(
  part: Part,
  problem: string,
  remedy = `mend it: pulumi config set --path timelift:tls.${part} FILE`,
) {
  return new TimeliftError({ code: "tls-certificate", subject: `timelift:tls.${part}`, problem, remedy });
}
