import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { isOlder } from "../loaders/version-order.ts";
import type { StackConfig } from "./config.ts";
import { onPath } from "./platforms/native/sandbox.ts";

/** Who makes what is inside the database: Pulumi's postgresql plugin, or timelift itself. */
export type Through = "plugin" | "builtin";

const program = "pulumi-resource-postgresql";

/**
 * What `timelift:databaseThrough` says; where it says nothing, the plugin on docker, if this machine has it, and timelift
 * itself elsewhere. That the plugin is not there is told in a line.
 */
export function databaseThrough({
  databaseThrough,
  platform,
}: Pick<StackConfig, "databaseThrough" | "platform">): Through {
  if (databaseThrough !== "") return databaseThrough;
  if (platform !== "docker") return "builtin";
  if (hasPlugin()) return "plugin";
  void pulumi.log.info(
    `timelift makes roles and grants itself: ${program} is neither on PATH nor among Pulumi's plugins ` +
      "(timelift:databaseThrough says which; plugin lets Pulumi fetch it)",
  );
  return "builtin";
}

/** Whether Pulumi finds the plugin without fetching it. */
export function hasPlugin(env: NodeJS.ProcessEnv = process.env): boolean {
  if (onPath(program) !== undefined) return true;
  const folder = join(env.PULUMI_HOME || join(homedir(), ".pulumi"), "plugins");
  const wanted = sdkVersion();
  return foldersIn(folder).some((name) => {
    const version = /^resource-postgresql-v(\d+\.\d+\.\d+)$/.exec(name)?.[1];
    return version !== undefined && major(version) === major(wanted) && !isOlder(version, wanted);
  });
}

const major = (version: string) => version.split(".")[0];

function sdkVersion(): string {
  const file = createRequire(import.meta.url).resolve("@pulumi/postgresql/package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
