import type * as pulumi from "@pulumi/pulumi";
import type { Tls } from "../../loaders/tls.ts";
import { authorityFileIn, Certificates } from "../resources/certificates.ts";
import type { ServiceDeclaration } from "../services/service.ts";
import { givenCertificate } from "../tls/given-certificate.ts";
import type { ServerCertificate } from "../tls/server-certificate.ts";
import type { TlsConfig } from "../tls/tls-config.ts";
import type { Service } from "./platform.ts";

/** What the stack's servers have a certificate from, and by which names. */
export interface CertifyArgs {
  /** The stack's folder, relative to the project. */
  stateDir: string;
  tls: TlsConfig;
  /** Names and addresses by which timelift's own clients, and the servers among themselves, call them. */
  names: string[];
}

/** The certificate of a stack's servers, and how their clients check it. */
export interface StackCertificate {
  server: { [Part in keyof ServerCertificate]: pulumi.Output<string> };
  /** The same before the certificate exists: a file of the stack's folder, relative to the project. */
  client: Tls;
}

/** What a service that has a certificate says of it. */
export function trustOf(certificate: StackCertificate | undefined): Pick<Service, "tls" | "authority"> {
  return certificate ? { tls: certificate.client, authority: certificate.server.authority } : {};
}

/** Whether a service has a certificate. */
export function speaksTls({ name }: ServiceDeclaration): boolean {
  return name === "timescaledb" || name === "pgbouncer";
}

/**
 * The one certificate of a stack's servers, declared when the first of them asks for it.
 * @throws TimeliftError `tls-certificate` where the given one will not do
 */
export function certify({ stateDir, tls, names }: CertifyArgs): () => StackCertificate {
  let made: StackCertificate | undefined;
  return () => {
    if (made !== undefined) return made;
    const given = givenCertificate(tls, names);
    const all = [...new Set([...names, "127.0.0.1", "::1", "localhost", ...tls.names])];
    const { certificate, key, authority } = new Certificates("certificates", {
      ...{ names: all, stateDir },
      ...(given && { given }),
    });
    const client: Tls = { mode: "verify-full", rootCert: authorityFileIn(stateDir) };
    made = { server: { certificate, key, authority }, client };
    return made;
  };
}
