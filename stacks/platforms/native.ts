import * as pulumi from "@pulumi/pulumi";
import { isGround } from "../ground-plan.ts";
import { Credentials } from "../resources/credentials.ts";
import { NativeService } from "../resources/native-service.ts";
import type { ServiceDeclaration } from "../services/service.ts";
import type { TlsConfig } from "../tls/tls-config.ts";
import type { Platform } from "./platform.ts";
import { certify, speaksTls, trustOf } from "./stack-certificate.ts";

/** How the native platform keeps its services. */
export interface NativePlatformArgs {
  /** The stack's folder, relative to the project. */
  stateDir: string;
  /** Delete the data with a service. */
  dropData: boolean;
  /**
   * Whether Pulumi refuses to delete the service that holds the rows.
   * @default false
   */
  protect?: boolean;
  /** The certificate of its servers. */
  tls: TlsConfig;
}

/** Services as ordinary processes of this machine, on loopback. */
export function nativePlatform({ tls, protect = false, ...args }: NativePlatformArgs): Platform {
  const certified = certify({ stateDir: args.stateDir, tls, names: ["127.0.0.1"] });
  return {
    service(declaration: ServiceDeclaration, secrets, after = []) {
      const certificate = speaksTls(declaration) ? certified() : undefined;
      const superuserPassword = passwordOfSuperuser(declaration);
      const resource = new NativeService(
        declaration.name,
        {
          ...{ declaration, secrets, ...args },
          ...(certificate && { tls: certificate.server }),
          ...(superuserPassword && { superuserPassword }),
        },
        {
          dependsOn: after.map((service) => service.resource),
          protect: protect && declaration.name === "timescaledb",
        },
      );
      const { port } = declaration;
      return {
        ...{ resource, host: "127.0.0.1", port, ...trustOf(certificate), version: resource.version },
        ...(superuserPassword && { superuserPassword }),
      };
    },
  };
}

/** The plugin logs in by TCP; who else is the superuser opens the socket's folder. */
function passwordOfSuperuser(declaration: ServiceDeclaration): pulumi.Output<string> | undefined {
  if (declaration.name !== "timescaledb" || !isGround(declaration.contents)) return undefined;
  const { passwords } = new Credentials("superuser", { names: ["postgres"] });
  return pulumi.secret(passwords.apply(({ postgres }) => postgres));
}
