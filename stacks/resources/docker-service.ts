import * as pulumi from "@pulumi/pulumi";
import type { Tls } from "../../loaders/tls.ts";
import type { ContainerSecrets } from "../platforms/docker/container-kind.ts";
import type { EngineAddress } from "../platforms/docker/engine.ts";
import type { ServiceDeclaration } from "../services/service.ts";
import { DynamicResource } from "./dynamic-resource.ts";

/** A service whose container runs. */
export interface DockerServiceArgs {
  declaration: ServiceDeclaration;
  /** The stack's folder, relative to the project: what commands remember of the container is kept there. */
  stateDir: string;
  /** Name of the container. */
  container: string;
  /** Identity of the container; a new one is settled anew. */
  containerId: pulumi.Input<string>;
  /** Reference of its image. */
  image: pulumi.Input<string>;
  engine: EngineAddress;
  /** Where clients reach it. */
  host: string;
  /** Whether clients outside the stack's network can reach it. */
  isPublished: boolean;
  /** Tells the files that the running service takes anew, its certificate among them, from others. */
  reload: pulumi.Input<string>;
  secrets: pulumi.Input<ContainerSecrets>;
  /** How clients speak with it, a path in it relative to the project. @default plain text */
  tls?: Tls;
  /** Whether destroy deletes the data volume; here so that a preview tells. */
  dropData: boolean;
}

/** A service in a container, ready for use: for the database, roles, grants and extensions are there. */
export class DockerService extends DynamicResource {
  /** Version of the program that runs, or the image that holds it. */
  declare readonly version: pulumi.Output<string>;

  constructor(name: string, args: DockerServiceArgs, opts?: pulumi.CustomResourceOptions) {
    const inputs = { ...args, secrets: pulumi.secret(args.secrets), version: undefined };
    super("DockerService", "docker-service-provider", name, inputs, opts);
  }
}
