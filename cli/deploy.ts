import { relative, resolve } from "node:path";
import { Command } from "commander";
import { readSourceHeader } from "../loaders/source/source-header.ts";
import { keepDataVariable } from "../stacks/keep-data.ts";
import { projectDir } from "./backend.ts";
import { refreshing } from "./container-drift.ts";
import { requireExternalKept } from "./external-stack.ts";
import { clearLeftovers } from "./leftover-containers.ts";
import { isProtectedStack, requireDestroyable, requireKept, requireTarget } from "./protected-stack.ts";
import { prepareStack, pulumi, setConfig } from "./pulumi.ts";
import { withoutSilent } from "./silent-database.ts";

export interface DeployOptions {
  stack: string;
  source?: string;
  workload?: string;
}

const descriptions = {
  up: "Deploys a stack: services, migrations, load, validation. A failed validation fails it.",
  preview: "Shows what up would do, with the SQL of new migrations and the rows that will go.",
  refresh: "Compares the state with what is there (pulumi refresh).",
  destroy:
    "Stops a stack's services. Their data stays unless the stack's config says dropData; an external database always " +
    "does. A protected stack is not destroyed, but for what can be made again: --exclude-protected.",
};

type Verb = keyof typeof descriptions;

/**
 * `up`, `refresh` and `destroy`: thin passes to Pulumi with stack, backend and passphrase set. Any other argument is
 * Pulumi's own. Without a terminal nothing is asked.
 */
export function deployCommand(verb: Exclude<Verb, "preview">): Command {
  return deployVerb(verb).action(async (options: DeployOptions, { args }: Command) => {
    const { stack, isProtected } = await prepareDeploy(options);
    if (verb === "destroy") requireExternalKept(stack);
    if (verb !== "refresh") requireTarget(stack, args);
    if (verb === "up") await clearLeftovers(stack);
    if (verb === "up" && isProtected) await requirePlanKept(stack, args);
    if (verb === "destroy") await requireDestroyable(stack, isProtected, args);
    const keeping = isProtected ? { [keepDataVariable]: "true" } : {};
    const looking = verb === "up" ? await refreshing(stack, args) : [];
    const without = verb === "refresh" ? await withoutSilent(stack) : [];
    const more = [...unattended(verb), ...looking, ...without, ...args];
    process.exitCode = await pulumi([verb, "--stack", stack, ...more], keeping);
  });
}

/** The options that all four have. */
export function deployVerb(verb: Verb): Command {
  const command = new Command(verb)
    .description(descriptions[verb])
    .option("-s, --stack <name>", "the stack", "dev")
    .allowUnknownOption()
    .allowExcessArguments();
  if (verb === "up" || verb === "preview") {
    command
      .option("--source <file>", "the SQLite file; kept in the stack's config")
      .option("--workload <name>", "the workload; kept in the stack's config");
  }
  return command;
}

/** Makes the stack exist, and keeps in its config what the options name. */
export async function prepareDeploy(
  options: DeployOptions,
): Promise<{ stack: string; isProtected: boolean }> {
  const { stack, workload } = options;
  const source = options.source && sourceInConfig(options.source);
  await prepareStack(stack);
  await setConfig(stack, { source, workload });
  return { stack, isProtected: await isProtectedStack(stack) };
}

/** What `up` says before it begins: options that only it has stay out of the preview. */
async function requirePlanKept(stack: string, args: string[]): Promise<void> {
  const { runPreview } = await import("./preview/run-preview.ts");
  const own = new Set(["--yes", "-y", "--skip-preview", "-f", "--suppress-progress", "--continue-on-error"]);
  requireKept(
    await runPreview(
      stack,
      args.filter((each) => !own.has(each)),
    ),
  );
}

/**
 * As the config holds it: relative to the project where the file is inside it, absolute elsewhere.
 * @throws TimeliftError `source-…` for a file that cannot be one, so that a slip does not stay in the config
 */
export function sourceInConfig(source: string): string {
  const absolute = resolve(source);
  readSourceHeader(absolute);
  const inside = relative(projectDir, absolute);
  return inside.startsWith("..") ? absolute : inside;
}

/** What Pulumi has to be told where nobody can answer. */
export function unattended(verb: Verb): string[] {
  if (process.stdin.isTTY && process.stdout.isTTY) return [];
  return verb === "preview" ? ["--non-interactive"] : ["--non-interactive", "--yes"];
}
