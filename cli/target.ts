import { Command } from "commander";
import { describeTarget } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { type Access, checkAccess, type Logins, requireAccess } from "../migrations/access/check-access.ts";
import { demandOf } from "../migrations/access/demand.ts";
import { layGround } from "../migrations/access/lay-ground.ts";
import type {
  ExternalDatabaseResult,
  TargetCommandRequest,
} from "../stacks/resources/external-database-provider.ts";
import { findWorkload, workloadReference } from "../stacks/workload.ts";
import { serveRequest } from "./request.ts";

/**
 * `timelift target`: what a stack's external database lacks; writes nothing, and exits with 1 where it lacks anything.
 * With `--request`, what the ExternalDatabase resource runs: the same, then timelift's own schema is made there.
 */
export function targetCommand(): Command {
  return new Command("target")
    .description("Says whether a stack's external database has all that up will need. Writes nothing.")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--request", "read one request as a JSON line from stdin, answer with one on stdout", false)
    .action(async ({ stack, request }: { stack: string; request: boolean }) => {
      if (request) return serveRequest(verify);
      const { logins, access } = await askStack(stack);
      for (const line of describe(logins, access)) console.log(line);
      if (access.lacks.length > 0) process.exitCode = 1;
    });
}

async function verify({ logins, demand }: TargetCommandRequest): Promise<ExternalDatabaseResult> {
  const access = await requireAccess(logins, demand);
  const version = await layGround(logins, demand, access, (line) => console.error(line));
  const { server, notes } = access;
  return {
    version,
    server: server.includes("TimescaleDB") ? server : `${server}, TimescaleDB ${version}`,
    notes,
  };
}

async function askStack(stack: string): Promise<{ logins: Logins; access: Access }> {
  const { externalLogins, isExternal } = await import("./external-stack.ts");
  if (!isExternal(stack)) {
    throw new TimeliftError({
      code: "target-not-external",
      subject: `stack ${stack}`,
      problem: "timelift runs its database itself",
      remedy: "timelift status shows it; a database of others is named as docs/external.md says",
    });
  }
  const { readStackConfig } = await import("./stack-config.ts");
  const { edition, hypertables, ...config } = await readStackConfig(stack);
  const { loader, migrationsDir, context } = await findWorkload(workloadReference(config));
  const demand = await demandOf(loader, migrationsDir, { ...context, edition, hypertables });
  const logins = await externalLogins(stack);
  return { logins, access: await checkAccess(logins, demand) };
}

function describe({ owner, loader, readonly }: Logins, { lacks, notes, server }: Access): string[] {
  const where = server === "" ? describeTarget(owner) : `${describeTarget(owner)}, ${server}`;
  return [
    where,
    `  owner ${owner.user}, loader ${loader.user}, readonly ${readonly.user}`,
    ...notes.map((note) => `  ${note}`),
    ...lacks.flatMap(({ what, mend }) => [`LACKS ${what}`, `  ${mend}`]),
    ...(lacks.length === 0 ? ["nothing is lacking"] : []),
  ];
}
