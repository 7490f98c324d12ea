import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "./backend.ts";
import { askPulumi } from "./pulumi.ts";
import { withoutSilent } from "./silent-database.ts";

/**
 * The option with which Pulumi first looks at what is there, for a stack of containers: what happened to one behind its
 * back is seen by a refresh only. A native service is looked at anyway. Where the database does not answer, that look at
 * everything else comes before, and none is left to do.
 */
export async function refreshing(stack: string, args: string[]): Promise<string[]> {
  if (args.some((each) => /^(--refresh|-r)\b/.test(each))) return [];
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  const isDocker =
    existsSync(file) && /^\s*timelift:platform:\s*["']?docker\b/m.test(readFileSync(file, "utf8"));
  if (!isDocker) return [];
  const without = await withoutSilent(stack);
  if (without.length === 0) return ["--refresh"];
  await askPulumi(["refresh", "--yes", "--skip-preview", "--non-interactive", "--stack", stack, ...without]);
  return [];
}
