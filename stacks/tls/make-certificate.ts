import "reflect-metadata"; // what @peculiar/x509 is built upon
import { randomBytes, type webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 24 * 3600 * 1000;
/** Clocks of two machines differ; a certificate from the future convinces nobody. */
const clockSkew = 3600 * 1000;
const authorityDays = 3650;
/** As long as public authorities may give. */
const serverDays = 397;

/** Makes a certificate authority that can sign servers and no other authority. */
export async function makeAuthority(): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(signing, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // One authority follows another: their names tell them apart.
    name: `CN=timelift authority ${randomBytes(4).toString("hex")}`,
    keys,
    signingAlgorithm: signing,
    ...span(authorityDays),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pairOf(certificate, keys.privateKey);
}

/** Makes a server's certificate for names and IP addresses, signed by an authority that outlives it. */
export async function makeServerCertificate(authority: KeyPair, names: string[]): Promise<KeyPair> {
  const signer = new x509.X509Certificate(authority.certificate);
  const pkcs8 = x509.PemConverter.decodeFirst(authority.key);
  const signingKey = await crypto.subtle.importKey("pkcs8", pkcs8, signing, false, ["sign"]);
  const keys = await crypto.subtle.generateKey(signing, true, ["sign", "verify"]);
  const { notBefore, notAfter } = span(serverDays);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=timelift server",
    issuer: signer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: signing,
    notBefore,
    notAfter: notAfter < signer.notAfter ? notAfter : signer.notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(signer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pairOf(certificate, keys.privateKey);
}

function span(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - clockSkew), notAfter: new Date(now + days * day) };
}

async function pairOf(certificate: x509.X509Certificate, privateKey: webcrypto.CryptoKey): Promise<KeyPair> {
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY");
  return { certificate: `${certificate.toString("pem")}\n`, key: `${key}\n` };
}
