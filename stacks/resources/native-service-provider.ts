import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { keepsData } from "../keep-data.ts";
import { requireNextGeneration } from "../password-generation.ts";
import { isServiceRunning } from "../platforms/native/service-folder.ts";
import type { Secrets } from "../services/role.ts";
import type { ServerCertificate } from "../tls/server-certificate.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";
import type { NativeServiceArgs } from "./native-service.ts";

/** `process` is what preview shows: that the service runs, or that it does not and will be started. */
type Inputs = Omit<NativeServiceArgs, "secrets" | "tls" | "superuserPassword"> & {
  secrets: Secrets;
  tls?: ServerCertificate;
  superuserPassword?: string;
  process: string;
};
type Outputs = Inputs & { version: string; origin: string };

const running = "running";

export function check(olds: Partial<Inputs>, news: Inputs): Promise<dynamic.CheckResult> {
  return checked("stateDir", news, async () => {
    requireNextGeneration(olds.declaration, news.declaration);
    const dead = olds.declaration && !isServiceRunning(olds.stateDir as string, olds.declaration.name);
    return { process: dead ? "not running; up starts it again" : running };
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const keys = ["declaration", "stateDir", "secrets", "tls", "superuserPassword", "dropData"] as const;
  const changes = news.process !== running || keys.some((key) => !isDeepStrictEqual(olds[key], news[key]));
  return { changes };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: inputs.declaration.name, outs: await start(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: await start(news) };
}

/** A protected stack keeps the data, although it was deployed with `dropData`. */
export async function remove(_id: string, { declaration, stateDir, dropData }: Outputs): Promise<void> {
  await runCommand(["service", "stop"], { declaration, stateDir, dropData: dropData && !keepsData() });
}

async function start(inputs: Inputs): Promise<Outputs> {
  const { declaration, stateDir, secrets, tls, superuserPassword } = inputs;
  const { version, origin } = await runCommand<{ version: string; origin: string }>(["service", "start"], {
    declaration,
    stateDir,
    secrets,
    ...(tls && { tls }),
    ...(superuserPassword !== undefined && { superuserPassword }),
  });
  return { ...inputs, process: running, version, origin };
}
