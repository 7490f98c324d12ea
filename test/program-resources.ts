import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import { type Declared, recorded } from "./docker-resources.ts";

/** A whole run of the Pulumi program: what it declared, and what it says of the stack. */
export interface ProgramRun {
  resources: Declared[];
  /** Names of the stack's outputs that have a value. */
  outputs: Record<string, { value: unknown; isSecret: boolean }>;
}

/**
 * Runs index.ts with a stack's config. Call `recordResources` before.
 * @param secrets keys that are kept encrypted
 */
export async function runProgram(
  config: Record<string, unknown>,
  secrets: string[] = [],
): Promise<ProgramRun> {
  const texts = Object.entries(config).map(([key, value]) => [
    `timelift:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(texts));
  vi.stubEnv("PULUMI_CONFIG_SECRET_KEYS", JSON.stringify(secrets.map((key) => `timelift:${key}`)));
  vi.resetModules();
  try {
    let outputs: ProgramRun["outputs"] = {};
    const resources = await recorded(async () => {
      outputs = await known({ ...(await import("../index.ts")) });
      // Whoever is told of an output is told before the recorder.
      await new Promise((resolve) => setImmediate(resolve));
    });
    return { resources, outputs };
  } finally {
    vi.unstubAllEnvs();
    pulumi.runtime.setAllConfig({});
  }
}

async function known(exported: Record<string, unknown>): Promise<ProgramRun["outputs"]> {
  const all = await Promise.all(
    Object.entries(exported).map(async ([name, value]) => {
      const output = pulumi.output(value) as pulumi.Output<unknown>;
      const plain = await new Promise<unknown>((resolve) => {
        output.apply((each) => resolve(each));
      });
      return [name, { value: plain, isSecret: await pulumi.isSecret(output) }] as const;
    }),
  );
  return Object.fromEntries(all.filter(([, { value }]) => value !== null));
}
