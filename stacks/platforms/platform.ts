import type * as pulumi from "@pulumi/pulumi";
import type { Tls } from "../../loaders/tls.ts";
import type { Endpoint } from "../resources/endpoint.ts";
import type { Secrets } from "../services/role.ts";
import type { ServiceDeclaration, ServiceName } from "../services/service.ts";
import { urlHost } from "../url-host.ts";

/** A service that a platform made real. */
export interface Service {
  /** What dependents wait for. */
  resource: pulumi.Resource;
  host: string;
  port: number;
  /** How connections to it are encrypted. @default plain text */
  tls?: Tls;
  /** The certificates of the authorities that its clients trust, as PEM. */
  authority?: pulumi.Output<string>;
  /** Whether others run it. @default false */
  external?: boolean;
  /** Password of a database's superuser, where it may come by TCP. */
  superuserPassword?: pulumi.Output<string>;
  /** Version of the program that runs, once it does. */
  version: pulumi.Output<string>;
}

/** Where services run. */
export interface Platform {
  /** Makes a declared service real, with the passwords it needs, after the services it needs. */
  service(
    declaration: ServiceDeclaration,
    secrets: pulumi.Input<Partial<Secrets>>,
    after?: Service[],
  ): Service;
}

/** A platform on which only some services run: the others are undefined. */
export function onlyServices(platform: Platform, names: ServiceName[]) {
  return (...args: Parameters<Platform["service"]>): Service | undefined =>
    names.includes(args[0].name) ? platform.service(...args) : undefined;
}

/** Where a service listens, as `host:port`; undefined where the stack has none. */
export function addressOf(service: Service | undefined): string | undefined {
  if (service === undefined) return undefined;
  const { host, port } = service;
  return `${urlHost(host)}:${port}`;
}

/** A database of a service, as resources take it. */
export function endpointOf({ host, port, tls, external }: Service, database: string): Endpoint {
  return { host, port, database, ...(tls && { tls }), ...(external && { external }) };
}
