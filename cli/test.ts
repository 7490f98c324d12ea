import { Command } from "commander";
import { execa } from "execa";
import { projectDir } from "./backend.ts";

/** `timelift test [vitest arguments]`: typecheck, lint, then the tests, whose summary comes last. */
export function testCommand(): Command {
  return new Command("test")
    .description("Typechecks, lints and runs the tests; arguments go to vitest.")
    .argument("[vitest...]")
    .allowUnknownOption()
    .action(async (vitest: string[]) => {
      const steps = [["tsc"], ["biome", "check", "."], ["vitest", "run", ...vitest]];
      for (const [program = "", ...args] of steps) {
        const { exitCode } = await execa(program, args, {
          cwd: projectDir,
          preferLocal: true,
          localDir: projectDir,
          stdio: "inherit",
          reject: false,
        });
        if (exitCode !== 0) {
          process.exitCode = exitCode ?? 1;
          return;
        }
      }
    });
}
