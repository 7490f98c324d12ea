import * as pulumi from "@pulumi/pulumi";
import type { ServerCertificate } from "../tls/server-certificate.ts";
import { DynamicResource } from "./dynamic-resource.ts";

/** What the stack's servers prove themselves by. */
export interface CertificatesArgs {
  /** Names and IP addresses by which clients call the servers. */
  names: string[];
  /** The stack's folder, relative to the project: the authority's certificate is written there for clients. */
  stateDir: string;
  /**
   * The certificate that others made for these servers.
   * @default one is generated, with an authority of the stack's own
   */
  given?: ServerCertificate;
}

/** The file in which clients of this machine find the certificates of the authorities they trust. */
export const authorityFileIn = (stateDir: string) => `${stateDir}/authority.pem`;

/**
 * One certificate for the stack's servers, and the authority that its clients know it by. A generated one is renewed by
 * the first `up` that finds fewer than 30 days left of it, which the preview says.
 */
export class Certificates extends DynamicResource {
  declare readonly certificate: pulumi.Output<string>;
  /** The server's private key; secret. */
  declare readonly key: pulumi.Output<string>;
  declare readonly authority: pulumi.Output<string>;

  constructor(name: string, args: CertificatesArgs, opts?: pulumi.CustomResourceOptions) {
    const { given } = args;
    const inputs = {
      ...args,
      ...(given && { given: { ...given, key: pulumi.secret(given.key) } }),
      ...{ certificate: undefined, key: undefined, authority: undefined, authorityKey: undefined },
    };
    const secret = { ...opts, additionalSecretOutputs: ["key", "authorityKey"] };
    super("Certificates", "certificates-provider", name, inputs, secret);
  }
}
