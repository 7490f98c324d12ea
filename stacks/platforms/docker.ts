import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Edition } from "../../migrations/edition.ts";
import { Credentials } from "../resources/credentials.ts";
import { DockerService } from "../resources/docker-service.ts";
import { SysrootImage } from "../resources/sysroot-image.ts";
import type { Secrets } from "../services/role.ts";
import type { ServiceDeclaration, ServiceName } from "../services/service.ts";
import type { TlsConfig } from "../tls/tls-config.ts";
import { alertmanager } from "./docker/alertmanager.ts";
import { clientHost } from "./docker/client-host.ts";
import { serviceContainer } from "./docker/container.ts";
import type { ContainerKind, ContainerSecrets } from "./docker/container-kind.ts";
import type { EngineAddress } from "./docker/engine.ts";
import { nodeExporter, pgbouncerExporter, postgresExporter, redisExporter } from "./docker/exporters.ts";
import { grafana } from "./docker/grafana.ts";
import { defaultImages, type ImagesConfig, requireEdition } from "./docker/images.ts";
import { labels } from "./docker/labels.ts";
import { pgbouncer } from "./docker/pgbouncer.ts";
import { prometheus } from "./docker/prometheus.ts";
import { redis } from "./docker/redis.ts";
import { serviceFiles } from "./docker/service-files.ts";
import { timescaledb } from "./docker/timescaledb.ts";
import type { Platform } from "./platform.ts";
import { certify, speaksTls, trustOf } from "./stack-certificate.ts";

/** How the docker platform keeps its services. */
export interface DockerPlatformArgs {
  /** Name of the stack; what is on the engine is called `timelift-<stack>-…`. */
  stack: string;
  /** The stack's folder, relative to the project. */
  stateDir: string;
  /** Delete the data volumes with the stack. */
  dropData: boolean;
  /**
   * Whether Pulumi refuses to delete the data volumes.
   * @default false
   */
  protect?: boolean;
  edition: Edition;
  /**
   * Images in place of the default ones, or the native platform's Debian tree as a local one.
   * @default {}
   */
  images: ImagesConfig;
  /** The certificate of its servers. */
  tls: TlsConfig;
  /** Extensions of PostgreSQL that the Debian tree has to bring; another image has them or not. @default [] */
  extensions?: string[];
  /** Service -> address of the engine's machine at which its port is published; the others stay inside. */
  publish: Partial<Record<ServiceName, string>>;
}

const kinds = {
  timescaledb,
  pgbouncer,
  redis,
  "postgres-exporter": postgresExporter,
  "pgbouncer-exporter": pgbouncerExporter,
  "redis-exporter": redisExporter,
  "node-exporter": nodeExporter,
  alertmanager,
  prometheus,
  grafana,
} as {
  [Name in ServiceName]: ContainerKind<never>;
};

/**
 * Services as containers of a Docker engine, on a network of their own, where each is called by its name. The engine is
 * the provider's: `docker:host` and the other `docker:` keys of the stack's config, else the usual socket.
 * @throws TimeliftError `image-edition`
 */
export function dockerPlatform(args: DockerPlatformArgs): Platform {
  const { stack, stateDir, dropData, protect = false, publish } = args;
  requireEdition(args.images, args.edition);
  const prefix = `timelift-${stack}`;
  const engine = engineOfConfig();
  const network = new docker.Network("network", { name: prefix, driver: "bridge", labels: labels(prefix) });
  const hostOf = (name: ServiceName) => {
    const publishedAt = publish[name];
    return publishedAt === undefined ? name : clientHost(publishedAt, engine.host);
  };
  const names = [...new Set([hostOf("timescaledb"), hostOf("pgbouncer"), "timescaledb", "pgbouncer"])];
  const certified = certify({ stateDir, tls: args.tls, names });
  const superuser = new Credentials("superuser", { names: ["postgres"] });
  const image = imageFinder(args, engine);

  return {
    service(declaration, secrets, after = []) {
      const { name } = declaration;
      const { reference, imageId } = image(name);
      const { own, forFiles } = secretsOf(name, secrets, superuser.passwords);
      const publishedAt = publish[name];
      const kind = kinds[name] as unknown as ContainerKind;
      const certificate = speaksTls(declaration) ? certified() : undefined;
      const files = serviceFiles({
        ...{ prefix, declaration, kind, image: imageId, secrets: forFiles },
        ...(certificate && { certificate: certificate.server }),
      });
      const container = serviceContainer({
        ...{ prefix, declaration, kind, files, publishedAt, dropData, protect },
        ...{ image: imageId, network: network.name, after: after.map((service) => service.resource) },
      });
      const host = hostOf(name);
      const resource = new DockerService(name, {
        ...{ declaration, stateDir, container: `${prefix}-${name}`, image: reference, engine },
        ...{ containerId: container.id, host, isPublished: publishedAt !== undefined },
        ...{ reload: files.reloadDigest, secrets: own, dropData },
        ...(certificate && { tls: certificate.client }),
      });
      const { port } = declaration;
      const superuserPassword = pulumi.secret(superuser.passwords.apply(({ postgres }) => postgres));
      return {
        ...{ resource, host, port, ...trustOf(certificate), version: resource.version },
        ...(name === "timescaledb" && { superuserPassword }),
      };
    },
  };
}

/**
 * The passwords that a service needs, and those that its files are made of. The database's own files hold the superuser's
 * alone, so that new passwords of roles are no reason for another container.
 */
function secretsOf(
  name: ServiceName,
  secrets: pulumi.Input<Partial<Secrets>>,
  superuser: pulumi.Output<{ postgres: string }>,
): Record<"own" | "forFiles", pulumi.Output<ContainerSecrets>> {
  const given = pulumi.secret(pulumi.output(secrets)) as pulumi.Output<ContainerSecrets>;
  if (name !== "timescaledb") return { own: given, forFiles: given };
  const own = pulumi.all([given, superuser]).apply(([known, { postgres }]) => ({ ...known, postgres }));
  return {
    own: pulumi.secret(own) as pulumi.Output<ContainerSecrets>,
    forFiles: superuser as pulumi.Output<ContainerSecrets>,
  };
}

/** The image of each service; services that share one, share its resource. */
function imageFinder(
  { images, extensions = [] }: Pick<DockerPlatformArgs, "images" | "extensions">,
  engine: EngineAddress,
) {
  const remote = (name: string, reference: pulumi.Input<string>) => {
    // Kept at destroy: other stacks may use it, and it is slow to get again.
    const { imageId } = new docker.RemoteImage(name, { name: reference, keepLocally: true });
    return { reference, imageId };
  };
  if (images === "sysroot") {
    const sysroot = remote("sysroot", new SysrootImage("sysroot", { engine, extensions }).image);
    return () => sysroot;
  }
  return (name: ServiceDeclaration["name"]) => remote(name, images[name] ?? defaultImages[name]);
}

/** The provider's own config, as far as the docker command understands it. */
function engineOfConfig(): EngineAddress {
  const config = new pulumi.Config("docker");
  return { host: config.get("host") ?? "", certPath: config.get("certPath") ?? "" };
}
