import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ServiceDeclaration } from "../../services/service.ts";
import { type ContainerKind, confFolder, momentFolder } from "./container-kind.ts";
import { imageLayouts } from "./images.ts";
import { labels } from "./labels.ts";
import type { ServiceFiles } from "./service-files.ts";
import { dataVolume } from "./volume-names.ts";

/** One service's container, with what it is attached to. */
export interface ServiceContainerArgs {
  /** The stack's prefix of names on the engine. */
  prefix: string;
  declaration: ServiceDeclaration;
  kind: ContainerKind;
  /** Identity of the image. */
  image: pulumi.Input<string>;
  network: pulumi.Input<string>;
  files: ServiceFiles;
  /** Address of the engine's machine on which the port is published; not published without it. */
  publishedAt?: string;
  /** Let destroy delete the data volume. */
  dropData: boolean;
  /** Whether Pulumi refuses to delete the data volume. */
  protect: boolean;
  /** The containers that this one needs, ready for use. */
  after: pulumi.Resource[];
}

/** Seconds that a container may take beyond its service: an image's first start is slow. */
const patienceSeconds = 60;

/**
 * Makes a service's container and its data volume: no root, no capability, no writable file but its data and what is in
 * memory, and nothing published that is not asked for. Pulumi waits until the service has answered.
 */
export function serviceContainer(args: ServiceContainerArgs): docker.Container {
  const { declaration, kind, prefix, files, after } = args;
  const { name, memoryMb, port, health } = declaration;
  const [program = "", ...rest] = kind.command(declaration);
  return new docker.Container(
    name,
    {
      name: `${prefix}-${name}`,
      hostname: name,
      image: args.image,
      user: imageLayouts[name].user,
      // The files belong to root and its group alone; this lets the service read them.
      groupAdds: ["0"],
      entrypoints: [program],
      command: rest,
      ...(kind.environment && { envs: variables(kind.environment(declaration)) }),
      volumes: volumes(args),
      readOnly: true,
      tmpfs: { [momentFolder]: "rw,nosuid,nodev,noexec,size=64m,mode=1777" },
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      networksAdvanced: [{ name: args.network, aliases: [name] }],
      ports: args.publishedAt ? [{ internal: port, external: port, ip: args.publishedAt }] : [],
      memory: memoryMb,
      // The same as memory: no swap. Left out, it would differ at every preview.
      memorySwap: memoryMb,
      shmSize: kind.sharedMemoryMb?.(declaration) ?? 64,
      restart: "unless-stopped",
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      healthcheck: {
        tests: ["CMD", ...kind.ask(declaration)],
        interval: "3s",
        timeout: "5s",
        retries: 3,
        startPeriod: goDuration(health.timeoutSeconds),
      },
      wait: true,
      waitTimeout: health.timeoutSeconds + patienceSeconds,
      stopSignal: kind.stop.signal,
      stopTimeout: kind.stop.graceSeconds,
      destroyGraceSeconds: kind.stop.graceSeconds,
      // Other files make another container.
      labels: [...labels(prefix, name), { label: "timelift.files", value: files.digest }],
    },
    {
      dependsOn: [files.resource, ...after],
      // The provider reports another health check as updated and leaves the container as it was.
      replaceOnChanges: ["healthcheck"],
      // Two containers cannot have one name, one port and one data folder.
      deleteBeforeReplace: true,
    },
  );
}

/** The files, which the service cannot change; and its data, which outlive the stack unless they are to go. */
function volumes({ prefix, declaration: { name }, kind, files, dropData, protect }: ServiceContainerArgs) {
  const conf = { volumeName: files.volume, containerPath: confFolder, readOnly: true };
  if (kind.readsDataOf) {
    const { service, at } = kind.readsDataOf;
    return [conf, { volumeName: `${prefix}-${dataVolume(service)}`, containerPath: at, readOnly: true }];
  }
  const { data } = imageLayouts[name];
  if (data === undefined) return [conf];
  const own = dataVolume(name);
  const volume = new docker.Volume(
    own,
    { name: `${prefix}-${own}`, labels: labels(prefix, name) },
    { retainOnDelete: !dropData, protect },
  );
  return [conf, { volumeName: volume.name, containerPath: data }];
}

function variables(environment: Record<string, string>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

/** As Go writes it, and so the provider: another text for the same time would differ at every preview. */
function goDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
