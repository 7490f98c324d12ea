import type * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../services/role.ts";
import type { ServiceDeclaration } from "../services/service.ts";

/** A service that a platform made real. */
export interface Service {
  /** What dependents wait for. */
  resource: pulumi.Resource;
  host: string;
  port: number;
  /** Version of the program that runs, once it does. */
  version: pulumi.Output<string>;
}

/** Where services run. */
export interface Platform {
  /** Makes a declared service real, after the services it needs. */
  service(declaration: ServiceDeclaration, secrets: pulumi.Input<Secrets>, after?: Service[]): Service;
}
