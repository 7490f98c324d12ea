import { randomBytes } from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";
import { roles } from "../services/role.ts";

export async function check(_olds: object, news: object): Promise<dynamic.CheckResult> {
  return { inputs: news };
}

export async function diff(): Promise<dynamic.DiffResult> {
  return { changes: false };
}

export async function create(inputs: { names?: string[] }): Promise<dynamic.CreateResult> {
  const passwords = Object.fromEntries(
    (inputs.names ?? [...roles, "redis"]).map((name) => [name, randomBytes(24).toString("base64url")]),
  );
  return { id: "credentials", outs: { ...inputs, passwords } };
}

export async function remove(): Promise<void> {}
