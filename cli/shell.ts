import { Command } from "commander";
import { execa } from "execa";
import { projectDir, pulumiEnvironment } from "./backend.ts";
import { prepareStack } from "./pulumi.ts";

/** `timelift shell`: the user's shell in the project folder, with backend, passphrase and programs set. */
export function shellCommand(): Command {
  return new Command("shell")
    .description("A shell in the project folder in which plain pulumi commands work on the stack.")
    .option("-s, --stack <name>", "the stack", "dev")
    .action(async ({ stack }: { stack: string }) => {
      await prepareStack(stack);
      const { exitCode } = await execa(process.env.SHELL ?? "/bin/sh", {
        cwd: projectDir,
        env: { ...pulumiEnvironment(), PULUMI_STACK: stack },
        stdio: "inherit",
        reject: false,
      });
      process.exitCode = exitCode ?? 1;
    });
}
