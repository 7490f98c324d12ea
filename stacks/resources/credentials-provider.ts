import { randomBytes } from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";
import { roles } from "../services/role.ts";

export async function check(_olds: object, news: object): Promise<dynamic.CheckResult> {
  return { inputs: news };
}

export async function diff(): Promise<dynamic.DiffResult> {
  return { changes: false };
}

export async function create(inputs: object): Promise<dynamic.CreateResult> {
  const passwords = Object.fromEntries(
    [...roles, "redis"].map((name) => [name, randomBytes(24).toString("base64url")]),
  );
  return { id: "credentials", outs: { ...inputs, passwords } };
}

export async function remove(): Promise<void> {}
