import { join } from "node:path";
import { Command, Option } from "commander";
import type { ValidationReport } from "../loaders/validation-report.ts";
import { type Edition, licences } from "../migrations/edition.ts";
import { findProgram } from "../stacks/platforms/native/program.ts";
import { nodeExporter } from "../stacks/services/exporters.ts";
import { pgbouncer } from "../stacks/services/pgbouncer.ts";
import { prometheus } from "../stacks/services/prometheus.ts";
import { redis } from "../stacks/services/redis.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { localDir } from "./backend.ts";
import { demoStack, requireStackFor } from "./demo-stack.ts";
import { sourceInConfig } from "./deploy.ts";
import { askPulumi, prepareStack, setConfig } from "./pulumi.ts";
import { findSample } from "./sample/samples.ts";
import { workloadOption } from "./sample.ts";
import { StepClock } from "./step-clock.ts";
import { deployWatched } from "./watched-update.ts";

interface DemoOptions {
  workload: string;
  stack?: string;
  source?: string;
  edition?: Edition;
}

/** `timelift demo`: the main job on real rows, from nothing to a validated TimescaleDB. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("Deploys the sample with a real pulumi up: services, migrations, load, validation.")
    .addOption(workloadOption())
    .option(
      "-s, --stack <name>",
      'the stack (default: "dev", or "dev-<workload>" for one that is not the default)',
    )
    .option("--source <file>", "a SQLite file of the same application in place of the sample")
    .addOption(
      new Option(
        "--edition <edition>",
        "of TimescaleDB; community wants a PostgreSQL that has it on PATH; kept in the stack's config",
      ).choices(Object.keys(licences)),
    )
    .action(runDemo);
}

async function runDemo(options: DemoOptions): Promise<void> {
  const { workload, source, edition, stack = demoStack(workload) } = options;
  const buildSample = await findSample(workload);
  const at = Number(process.env.TIMELIFT_STARTED);
  const clock = new StepClock(at ? { step: "Node, packages, Pulumi", at } : undefined);
  const sample = join(localDir, "sample", `${workload}.db`);
  const say = (line: string) => console.log(`  ${line}`);
  await Promise.all([
    clock.time("programs of the services", () => findPrograms(edition, say)),
    clock.time(source ? "source" : "sample", async () => {
      if (!source) await buildSample(sample);
    }),
    clock.time("stack", async () => {
      await prepareStack(stack);
      await requireStackFor(workload, stack);
    }),
  ]);
  await setConfig(stack, { workload, edition, source: sourceInConfig(source ?? sample) });
  const update = await clock.time("pulumi up", () => deployWatched(stack));
  if (!update.ok) {
    process.exitCode = 1;
    console.log("\nThe update failed; what stands above says why. Mend it and type the same again.");
    return;
  }
  const outputs = JSON.parse(
    await askPulumi(["stack", "output", "--stack", stack, "--json", "--show-secrets"]),
  ) as {
    checks: string[];
    report: string;
    reportPage: string;
  };
  const report = JSON.parse(outputs.report) as ValidationReport;
  console.log(`\n${update.changed ? "Validated" : "Unchanged; validated before"}:`);
  for (const line of outputs.checks) console.log(`  ${line}`);
  console.log("\nWhere the time went:");
  for (const line of [...clock.lines(), ...update.steps.map((line) => `  ${line}`)]) console.log(`  ${line}`);
  console.log(next(workload, stack, report, outputs.reportPage));
}

/** Brings the services' programs here before Pulumi starts, so that what it takes is seen as a step of its own. */
async function findPrograms(edition: Edition | undefined, log: (line: string) => void): Promise<void> {
  const at = { port: 0, upstreamPort: 0, database: "" };
  const beside = [pgbouncer(at), redis(at), nodeExporter(at), prometheus(at)];
  for (const service of [timescaledb({ ...at, edition }), ...beside]) {
    await findProgram(service, log);
  }
}

function next(workload: string, stack: string, report: ValidationReport, page: string): string {
  const option = stack === "dev" ? "" : ` --stack ${stack}`;
  return `
${report.rows.toLocaleString("en")} rows are in TimescaleDB, each compared with the SQLite file.
The proof, as a page: ${page}

Now try:
  ./timelift status${option}                what runs, and where
  ./timelift psql${option}                  ask the database yourself
  ./timelift preview --diff${option}        what another up would do: nothing
  ./timelift up --source YOUR.db${option}   your own ${workload} database in place of the sample
  ./timelift destroy${option}               stop it all and take it back`;
}
