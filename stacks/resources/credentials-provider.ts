import { randomBytes } from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";
import { redisSecrets, roles } from "../services/role.ts";

interface Inputs {
  names?: string[];
}
type Outputs = Inputs & { passwords: Record<string, string> };

const namesOf = ({ names = [...roles, ...redisSecrets] }: Inputs) => names;

const generated = (inputs: Inputs) =>
  Object.fromEntries(namesOf(inputs).map((name) => [name, randomBytes(24).toString("base64url")]));

export async function check(_olds: object, news: object): Promise<dynamic.CheckResult> {
  return { inputs: news };
}

/** Who has no password yet gets one; nobody ever gets another. */
export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  return { changes: namesOf(news).some((name) => !(name in olds.passwords)) };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: "credentials", outs: { ...inputs, passwords: generated(inputs) } };
}

export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: { ...news, passwords: { ...generated(news), ...olds.passwords } } };
}

export async function remove(): Promise<void> {}
