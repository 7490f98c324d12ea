import { Command } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { MigrateRequest } from "../migrations/migrate.ts";
import { migrate } from "../migrations/migrate.ts";
import { listMigrations, phases } from "../migrations/migration-files.ts";
import { findWorkload, workloadReference } from "../stacks/workload.ts";
import { isProtectedStack, requireUnprotected } from "./protected-stack.ts";
import { prepareStack, pulumi, setConfig } from "./pulumi.ts";
import { serveRequest } from "./request.ts";
import { readStackConfig } from "./stack-config.ts";

interface DownOptions {
  stack: string;
  dropRows: boolean;
}

/**
 * `timelift migrate`: going down is declared, so that Pulumi's state, the config and the database stay one.
 * `down NAME` sets `timelift:migrateTo` to the migration before NAME and runs `up`; `up` takes it away again.
 */
export function migrateCommand(): Command {
  const command = new Command("migrate").description("Migrations of the target.");
  command
    .command("status", { isDefault: true })
    .description("lists the migrations of both phases, and which should stand")
    .option("-s, --stack <name>", "the stack", "dev")
    .action(async ({ stack }: { stack: string }) => {
      const { names, migrateTo } = await migrationsOf(stack);
      const end = migrateTo ? names.indexOf(migrateTo) : names.length - 1;
      for (const [index, name] of names.entries())
        console.log(`${index <= end ? "stands" : "down  "}  ${name}`);
    });
  command
    .command("down <name>")
    .description("takes NAME and every later migration down (phase/name, as status lists it)")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--drop-rows", "drop tables that hold rows", false)
    .action(async (name: string, { stack, dropRows }: DownOptions) => {
      await prepareStack(stack);
      const { names } = await migrationsOf(stack);
      const at = names.findIndex((each) => each === name || each.endsWith(`/${name}`));
      if (at < 1) throw unknown(name, at, names);
      if (dropRows)
        requireUnprotected(stack, await isProtectedStack(stack), "timelift migrate down --drop-rows");
      await setConfig(stack, { migrateTo: names[at - 1], dropRows: String(dropRows) });
      process.exitCode = await pulumi(["up", "--stack", stack, "--yes", "--skip-preview"]);
    });
  command
    .command("up")
    .description("brings every migration up again after a down")
    .option("-s, --stack <name>", "the stack", "dev")
    .action(async ({ stack }: { stack: string }) => {
      await prepareStack(stack);
      await setConfig(stack, { migrateTo: "", dropRows: "false" });
      process.exitCode = await pulumi(["up", "--stack", stack, "--yes", "--skip-preview"]);
    });
  command
    .command("apply")
    .description("what the Migrations resource runs")
    .action(() => serveRequest((request: MigrateRequest) => migrate(request, (line) => console.error(line))));
  return command;
}

async function migrationsOf(stack: string): Promise<{ names: string[]; migrateTo: string }> {
  const config = await readStackConfig(stack);
  const { migrationsDir } = await findWorkload(workloadReference(config));
  const names = phases.flatMap((phase) =>
    listMigrations(migrationsDir, phase).map(({ name }) => `${phase}/${name}`),
  );
  return { names, migrateTo: config.migrateTo };
}

function unknown(name: string, at: number, names: string[]): TimeliftError {
  return new TimeliftError({
    code: "migrate-down",
    subject: `migration ${name}`,
    problem: at === 0 ? "it is the first; nothing would be left to stand" : "there is no such migration",
    remedy:
      at === 0
        ? "take the stack down instead: timelift destroy"
        : `choose one of ${names.slice(1).join(", ")}`,
  });
}
