import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { Command, Option } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { licences } from "../migrations/edition.ts";
import { projectDir } from "./backend.ts";
import { prepareStack, setSecret } from "./pulumi.ts";
import type { GivenChoices } from "./stack/choose-stack.ts";
import type { StackChoices } from "./stack/stack-choices.ts";

interface NewOptions extends Omit<GivenChoices, "targetUrl"> {
  targetUrlStdin: boolean;
  yes: boolean;
}

/** `timelift stack`: the environments of the project. */
export function stackCommand(): Command {
  const command = new Command("stack").description(
    "The project's stacks, one an environment (docs/environments.md).",
  );
  const many = (value: string, before: string[] = []) => [...before, ...value.split(",")];
  command
    .command("new <name>")
    .description(
      "Asks what a new stack is to be, writes Pulumi.<name>.yaml, and makes the stack in the backend.",
    )
    .addOption(
      new Option("--platform <name>", "native, docker or external").choices(["native", "docker", "external"]),
    )
    .option("--workload <name>", "a workload of the project")
    .option(
      "--workload-path <folder>",
      "a folder with loader.ts and migrations/, in place of a workload's name",
    )
    .option("--source <file>", "the SQLite file")
    .addOption(new Option("--edition <edition>", "of TimescaleDB").choices(Object.keys(licences)))
    .option("--publish <service>", "docker: publish its port on 127.0.0.1; may be repeated", many)
    .option("--port <service=port>", "in place of a free one; may be repeated", many)
    .option("--docker-host <url>", "docker: an engine elsewhere, ssh://user@host")
    .option(
      "--target-url-stdin",
      "external: read the database's URL from stdin, and keep it as a secret",
      false,
    )
    .option("--protect", "refuse everything that would drop its data")
    .option("--no-protect", "do not")
    .option("-y, --yes", "ask nothing: what no option says is as a question would propose it", false)
    .action(newStack);
  return command;
}

async function newStack(stack: string, { targetUrlStdin, yes, ...given }: NewOptions): Promise<void> {
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  requireNewName(stack, file);
  const [{ chooseStack }, { presets, terminal }] = await Promise.all([
    import("./stack/choose-stack.ts"),
    import("./stack/stack-questions.ts"),
  ]);
  const targetUrl = targetUrlStdin ? { targetUrl: (await textOf(process.stdin)).trim() } : {};
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && !targetUrlStdin;
  if (!yes && !isTerminal) throw nobodyToAsk(stack);
  const chosen = await chooseStack(stack, { ...given, ...targetUrl }, yes ? presets : terminal);
  const { renderStackFile } = await import("./stack/stack-file.ts");
  writeFileSync(file, renderStackFile(chosen.choices), { flag: "wx" });
  try {
    await prepareStack(stack);
    if (chosen.targetUrl !== "") await setSecret(stack, "targetUrl", chosen.targetUrl);
  } catch (error) {
    // Half a stack would be refused as one that is there.
    rmSync(file);
    throw error;
  }
  for (const line of next(chosen.choices, chosen.targetUrl !== "")) console.log(line);
}

function requireNewName(stack: string, file: string): void {
  if (!/^[\w.-]{1,100}$/.test(stack)) {
    throw new TimeliftError({
      code: "stack-name",
      subject: `stack ${JSON.stringify(stack)}`,
      problem: "a name has letters, digits, _, . and -, at most 100 of them",
      remedy: "timelift stack new staging",
    });
  }
  if (!existsSync(file)) return;
  throw new TimeliftError({
    code: "stack-exists",
    subject: `Pulumi.${stack}.yaml`,
    problem: "there is such a stack already, and its config is left as it is",
    remedy: `./timelift preview --stack ${stack} shows it; edit the file, or choose another name`,
  });
}

function nobodyToAsk(stack: string): TimeliftError {
  return new TimeliftError({
    code: "stack-questions",
    subject: `timelift stack new ${stack}`,
    problem: "there is no terminal to ask on",
    remedy: `say it by options: timelift stack new ${stack} --platform docker --workload stockula --source app.db --yes`,
  });
}

function next({ stack, platform, source }: StackChoices, hasUrl: boolean): string[] {
  const lines = [`Pulumi.${stack}.yaml is written, and the stack ${stack} is there.`];
  const from = source === "" ? " --source path/to/app.db" : "";
  if (platform !== "external") return [...lines, `Next: ./timelift up --stack ${stack}${from}`];
  if (hasUrl && source === "") return [...lines, `Next: ./timelift preview --stack ${stack}${from}`];
  if (hasUrl)
    return [...lines, `Next: ./timelift target --stack ${stack}, which says what the database lacks`];
  const set = `pulumi config set --stack ${stack} --secret timelift:targetUrl`;
  return [...lines, `Next: ./timelift shell --stack ${stack}, and in it: ${set}`];
}
