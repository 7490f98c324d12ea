import type * as pulumi from "@pulumi/pulumi";
import type { Tls } from "../../loaders/tls.ts";
import type { Endpoint } from "../resources/endpoint.ts";
import type { Secrets } from "../services/role.ts";
import type { ServiceDeclaration, ServiceName } from "../services/service.ts";

/** A service that a platform made real. */
export interface Service {
  /** What dependents wait for. */
  resource: pulumi.Resource;
  host: string;
  port: number;
  /** How connections to it are encrypted. @default plain text */
  tls?: Tls;
  /** PEM of the authority that signed its certificate, where the stack made it. */
  authority?: pulumi.Input<string>;
  /** Whether others run it. @default false */
  external?: boolean;
  /** Version of the program that runs, once it does. */
  version: pulumi.Output<string>;
}

/** Where services run. */
export interface Platform {
  /** Makes a declared service real, after the services it needs. */
  service(declaration: ServiceDeclaration, secrets: pulumi.Input<Secrets>, after?: Service[]): Service;
}

/** A platform on which only some services run: the others are undefined. */
export function onlyServices(platform: Platform, names: ServiceName[]) {
  return (...args: Parameters<Platform["service"]>): Service | undefined =>
    names.includes(args[0].name) ? platform.service(...args) : undefined;
}

/** A database of a service, as resources take it. */
export function endpointOf({ host, port, tls, external }: Service, database: string): Endpoint {
  return { host, port, database, ...(tls && { tls }), ...(external && { external }) };
}
