import * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../services/role.ts";
import type { ServiceDeclaration } from "../services/service.ts";
import type { ServerCertificate } from "../tls/server-certificate.ts";
import { DynamicResource } from "./dynamic-resource.ts";

/** A service that runs as a process of this machine. */
export interface NativeServiceArgs {
  declaration: ServiceDeclaration;
  /** The stack's folder, relative to the project: data, logs and 0600 secrets of its services. */
  stateDir: string;
  /** The passwords that the service needs. */
  secrets: pulumi.Input<Partial<Secrets>>;
  /** What it proves itself by, where it speaks TLS; the key is a secret. */
  tls?: { [Part in keyof ServerCertificate]: pulumi.Input<ServerCertificate[Part]> };
  /**
   * Password of the database's superuser, where the plugin logs in as it.
   * @default it comes by the socket alone
   */
  superuserPassword?: pulumi.Input<string>;
  /** Delete the data with the service. */
  dropData: boolean;
}

/** A process that is up when a query is answered; a dead one is noticed by the next preview. */
export class NativeService extends DynamicResource {
  /** Version of the program that runs. */
  declare readonly version: pulumi.Output<string>;
  /** Where the program came from: a folder of this machine, or the Debian tree in the cache. */
  declare readonly origin: pulumi.Output<string>;

  constructor(name: string, args: NativeServiceArgs, opts?: pulumi.CustomResourceOptions) {
    const { secrets, tls, superuserPassword } = args;
    const inputs = {
      ...{ ...args, secrets: pulumi.secret(secrets), version: undefined, origin: undefined },
      ...(tls && { tls: { ...tls, key: pulumi.secret(tls.key) } }),
      ...(superuserPassword !== undefined && { superuserPassword: pulumi.secret(superuserPassword) }),
    };
    super("NativeService", "native-service-provider", name, inputs, opts);
  }
}
