import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "./backend.ts";

/**
 * The option with which Pulumi first looks at what is there, for a stack of containers: what happened to one behind its
 * back is seen by a refresh only. A native service is looked at anyway.
 */
export function refreshing(stack: string, args: string[]): string[] {
  if (args.some((each) => /^(--refresh|-r)\b/.test(each))) return [];
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  const isDocker =
    existsSync(file) && /^\s*timelift:platform:\s*["']?docker\b/m.test(readFileSync(file, "utf8"));
  return isDocker ? ["--refresh"] : [];
}
