import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { openSnapshot } from "../loaders/source/snapshot.ts";
import { requireStill, SourceMoved } from "../loaders/source/still-source.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { Edition } from "../migrations/edition.ts";
import { parseConfig, type StackConfig } from "../stacks/config.ts";
import { copyPathIn } from "../stacks/resources/source-folder.ts";
import { findWorkload, type Workload, workloadReference } from "../stacks/workload.ts";
import type { WorkloadAdvice } from "./advise/advice.ts";
import { type AdvisedWorkload, adviseWorkload } from "./advise/advise-workload.ts";
import { renderAdvice } from "./advise/render-advice.ts";
import { projectDir } from "./backend.ts";

interface AdviseOptions {
  stack?: string;
  source?: string;
  workload?: string;
  workloadPath?: string;
  edition?: Edition;
  measure: boolean;
  sample: number;
  json: boolean;
}

/** `timelift advise`: what suits the source's rows, from the rows themselves and, where asked, from a measurement. */
export function adviseCommand(): Command {
  return new Command("advise")
    .description(
      "Proposes chunks, columnstore and indexes for each hypertable of a workload, with the figures behind it.",
    )
    .option("-s, --stack <name>", "the stack; dev, unless --source names a file")
    .option("--source <file>", "a SQLite file in place of the stack's; needs no stack")
    .option("--workload <name>", "a workload of the project in place of the stack's")
    .option("--workload-path <folder>", "a workload kept elsewhere")
    .addOption(
      new Option("--edition <name>", "edition of TimescaleDB, in place of the stack's").choices([
        "apache",
        "community",
      ]),
    )
    .option("--measure", "load a sample both ways into a server of its own, and compare", false)
    .option("--sample <rows>", "rows of each hypertable that --measure loads", rowCount, 500_000)
    .option("--json", "everything, for machines", false)
    .action(async (options: AdviseOptions) => {
      const advice = await advise(options);
      console.log(options.json ? JSON.stringify(advice, null, 2) : renderAdvice(advice).join("\n"));
    });
}

async function advise(options: AdviseOptions): Promise<WorkloadAdvice> {
  const subject = await subjectOf(options);
  const scratch = mkdtempSync(join(tmpdir(), "timelift-advise-"));
  const copyPath = subject.copyPath ?? join(scratch, "source.db");
  try {
    const found = await adviseStill({ ...subject, copyPath });
    if (!options.measure) return found.advised.advice;
    const { measureWorkload } = await import("./advise/measure/measure-workload.ts");
    const log = (line: string) => console.error(`advise: ${line}`);
    return await measureWorkload({ ...subject, ...found, sampleRows: options.sample, log });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What the options name, and the stack's config where they leave something out. */
interface Subject {
  workload: Workload;
  source: string;
  edition: Edition;
  memoryMb: number;
  /** Where the stack keeps its copy of the source; absent without a stack. */
  copyPath?: string;
}

async function subjectOf(options: AdviseOptions): Promise<Subject> {
  const { stack, source } = options;
  const isBare = source !== undefined && stack === undefined;
  const config = isBare ? parseConfig({ "timelift:source": source }, "(none)") : await stackConfig(stack);
  const { workload: name, workloadPath: path, edition = config.edition } = options;
  const other = { workload: name ?? config.workload, workloadPath: path ?? "", workloadOptions: {} };
  const reference = workloadReference(name === undefined && path === undefined ? config : other);
  const { stackFolder } = await import("./stack-services.ts");
  const workload = await findWorkload(reference);
  // Settings of one workload's hypertables say nothing about another's.
  const hypertables = reference.name === workloadReference(config).name ? config.hypertables : {};
  return {
    workload: { ...workload, context: { ...workload.context, edition, hypertables } },
    source: source === undefined ? resolve(projectDir, config.source) : resolve(source),
    ...{ edition, memoryMb: config.memoryMb },
    ...(source === undefined ? { copyPath: copyPathIn(stackFolder(config.stack)) } : {}),
  };
}

async function stackConfig(stack = "dev"): Promise<StackConfig> {
  const { readStackConfig } = await import("./stack-config.ts");
  try {
    return await readStackConfig(stack);
  } catch (error) {
    if (!/no stack named/.test((error as Error).message)) throw error;
    throw new TimeliftError({
      code: "advise-stack",
      subject: `stack ${stack}`,
      problem: "there is no such stack yet, so nothing says which source is meant",
      remedy: "name them: timelift advise --source FILE --workload NAME; or make the stack: timelift up",
      cause: error,
    });
  }
}

/** Advises on one state of the source: in place while nobody writes to it, else on a copy. */
async function adviseStill(
  subject: Subject & { copyPath: string },
): Promise<{ advised: AdvisedWorkload; path: string }> {
  const look = async (inPlace: boolean) => {
    const { path, mark } = await openSnapshot(subject.source, subject.copyPath, { inPlace });
    const advised = await adviseWorkload({ ...subject, path });
    requireStill(mark);
    return { advised, path };
  };
  try {
    return await look(true);
  } catch (error) {
    if (!(error instanceof SourceMoved)) throw error;
    return look(false);
  }
}

function rowCount(text: string): number {
  const number = Number(text.replaceAll("_", ""));
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("it takes a whole number above zero.");
}
