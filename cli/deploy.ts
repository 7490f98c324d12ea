import { relative, resolve } from "node:path";
import { Command } from "commander";
import { readSourceHeader } from "../loaders/source/source-header.ts";
import { projectDir } from "./backend.ts";
import { prepareStack, pulumi, setConfig } from "./pulumi.ts";

interface DeployOptions {
  stack: string;
  source?: string;
  workload?: string;
}

const descriptions = {
  up: "Deploys a stack: services, migrations, load, validation. A failed validation fails it.",
  preview: "Shows what up would do, with the SQL of new migrations and the rows that will go.",
  refresh: "Compares the state with what is there (pulumi refresh).",
  destroy: "Stops a stack's services. Their data stays unless the stack's config says dropData.",
};

/**
 * `up`, `preview`, `refresh` and `destroy`: thin passes to Pulumi with stack, backend and passphrase set. Any other
 * argument is Pulumi's own. Without a terminal nothing is asked.
 */
export function deployCommand(verb: keyof typeof descriptions): Command {
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
  return command.action(async (options: DeployOptions, { args }: Command) => {
    const { stack, workload } = options;
    const source = options.source && sourceInConfig(options.source);
    await prepareStack(stack);
    await setConfig(stack, { source, workload });
    if (verb === "preview") await previewDrift(stack, args);
    process.exitCode = await pulumi([verb, "--stack", stack, ...unattended(verb), ...args]);
  });
}

/** Pulumi's JSON stays alone on stdout. */
async function previewDrift(stack: string, args: string[]): Promise<void> {
  const { driftLines } = await import("./schema/preview-drift.ts");
  const print = args.some((each) => each === "--json" || each === "-j") ? console.error : console.log;
  for (const line of await driftLines(stack)) print(line);
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

function unattended(verb: string): string[] {
  if (process.stdin.isTTY && process.stdout.isTTY) return [];
  return verb === "preview" ? ["--non-interactive"] : ["--non-interactive", "--yes"];
}
