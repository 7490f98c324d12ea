import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { ContainerSecrets } from "../platforms/docker/container-kind.ts";
import { forgetContainer } from "../platforms/docker/container-record.ts";
import type { SettleRequest } from "../platforms/docker/settle.ts";
import { runCommand } from "./command.ts";
import type { DockerServiceArgs } from "./docker-service.ts";

type Inputs = Omit<DockerServiceArgs, "secrets" | "containerId" | "image" | "certificate"> & {
  secrets: ContainerSecrets;
  containerId: string;
  image: string;
  certificate?: string;
};
type Outputs = Inputs & { version: string };

const compared = [
  ...["declaration", "stateDir", "container", "containerId", "image", "engine", "host"],
  ...["isPublished", "secrets", "dropData", "tls", "certificate"],
] as (keyof Inputs)[];

export async function check(_olds: object, news: Inputs): Promise<dynamic.CheckResult> {
  return { inputs: news };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: compared.some((key) => !isDeepStrictEqual(olds[key], news[key])) };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: inputs.container, outs: await settle(inputs, false) };
}

export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  const reload = olds.containerId === news.containerId && olds.certificate !== news.certificate;
  return { outs: await settle(news, reload) };
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
