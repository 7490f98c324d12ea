import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { ContainerSecrets } from "../platforms/docker/container-kind.ts";
import { forgetContainer } from "../platforms/docker/container-record.ts";
import type { SettleRequest } from "../platforms/docker/settle.ts";
import { runCommand } from "./command.ts";
import type { DockerServiceArgs } from "./docker-service.ts";

type Inputs = Omit<DockerServiceArgs, "secrets" | "containerId" | "image"> & {
  secrets: ContainerSecrets;
  containerId: string;
  image: string;
};
type Outputs = Inputs & { version: string };

const compared = [
  ...["declaration", "stateDir", "container", "containerId", "image", "engine", "host"],
  ...["isPublished", "secrets", "dropData"],
] as (keyof Inputs)[];

export async function check(_olds: object, news: Inputs): Promise<dynamic.CheckResult> {
  return { inputs: news };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: compared.some((key) => !isDeepStrictEqual(olds[key], news[key])) };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: inputs.container, outs: await settle(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: await settle(news) };
}

export async function remove(_id: string, { stateDir, declaration }: Outputs): Promise<void> {
  forgetContainer(stateDir, declaration.name);
}

async function settle(inputs: Inputs): Promise<Outputs> {
  const { declaration, stateDir, container, image, engine, host, isPublished, secrets } = inputs;
  const request: SettleRequest = {
    ...{ declaration, stateDir, container, image, engine, host, isPublished, secrets },
  };
  const { version } = await runCommand<{ version: string }>(["service", "settle"], request);
  return { ...inputs, version };
}
