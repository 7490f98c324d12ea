import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { requireNextGeneration } from "../password-generation.ts";
import type { ContainerSecrets } from "../platforms/docker/container-kind.ts";
import { forgetContainer } from "../platforms/docker/container-record.ts";
import type { SettleRequest } from "../platforms/docker/settle.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";
import type { DockerServiceArgs } from "./docker-service.ts";

type Inputs = Omit<DockerServiceArgs, "secrets" | "containerId" | "image" | "reload"> & {
  secrets: ContainerSecrets;
  reload: string;
  containerId: string;
  image: string;
};
type Outputs = Inputs & { version: string };

const compared = [
  ...["declaration", "stateDir", "container", "containerId", "image", "engine", "host"],
  ...["isPublished", "reload", "secrets", "dropData", "tls"],
] as (keyof Inputs)[];

export function check(olds: Partial<Inputs>, news: Inputs): Promise<dynamic.CheckResult> {
  return checked("stateDir", news, async () => {
    requireNextGeneration(olds.declaration, news.declaration);
    return {};
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: compared.some((key) => !isDeepStrictEqual(olds[key], news[key])) };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: inputs.container, outs: await settle(inputs, false) };
}

export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  const isSame = olds.containerId === news.containerId;
  return { outs: await settle(news, isSame && olds.reload !== news.reload) };
}

export async function remove(_id: string, { stateDir, declaration }: Outputs): Promise<void> {
  forgetContainer(stateDir, declaration.name);
}

async function settle(inputs: Inputs, reload: boolean): Promise<Outputs> {
  const { declaration, stateDir, container, image, engine, host, isPublished, secrets, tls } = inputs;
  const request: SettleRequest = {
    ...{ declaration, stateDir, container, image, engine, host, isPublished, secrets, reload },
    ...(tls && { tls }),
  };
  const { version } = await runCommand<{ version: string }>(["service", "settle"], request);
  return { ...inputs, version };
}
