import * as pulumi from "@pulumi/pulumi";
import { parseConfig, type StackConfig } from "./config.ts";

/** Parses the config of the stack that Pulumi is running. */
export function readConfig(): StackConfig {
  // Pulumi names the encrypted keys to the program here; its SDK keeps the question to itself.
  const secrets = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS || "[]") as string[];
  return parseConfig(pulumi.runtime.allConfig(), pulumi.getStack(), (key) => secrets.includes(key));
}
