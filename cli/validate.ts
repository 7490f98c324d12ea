import { basename } from "node:path";
import { Command, Option } from "commander";
import { connect, describeTarget } from "../loaders/connection.ts";
import { Ledger } from "../loaders/ledger.ts";
import { recordedFingerprint } from "../loaders/source/snapshot.ts";
import type { ExpectedHypertable } from "../loaders/validate/hypertable-checks.ts";
import { readLoadHistory } from "../loaders/validate/load-history.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { runValidation, type ValidationEvent } from "../loaders/validate/run-validation.ts";
import { strictThresholds, thresholdPresets } from "../loaders/validate/thresholds.ts";
import { recordValidation } from "../loaders/validation-record.ts";
import type { ValidationReport } from "../loaders/validation-report.ts";
import { declaredHypertables, declaredKeys, realisations } from "../migrations/declared.ts";
import { intervalText } from "../migrations/interval.ts";
import { declaredObject } from "../migrations/objects/realise.ts";
import type { DeclaredHypertable } from "../migrations/timescale.ts";
import { copyPathIn } from "../stacks/resources/source-folder.ts";
import type { ValidateCommandRequest } from "../stacks/resources/validation-provider.ts";
import { findWorkload, workloadReference } from "../stacks/workload.ts";
import { type ReportFileOptions, ReportFiles, withReportFiles } from "./report-files.ts";
import { serveRequest } from "./request.ts";

const rowsBetweenLines = 500_000;

interface ValidateOptions extends ReportFileOptions {
  stack: string;
  request: boolean;
  thresholds?: keyof typeof thresholdPresets;
}

/**
 * `timelift validate`: compares every row of a stack's source, as it was loaded, with the target; exit code 1 when one
 * differs by more than the thresholds allow. With `--request`, what the Validation resource runs: a FAIL is an answer
 * there, and only a run that could not be is an error.
 */
export function validateCommand(): Command {
  const command = new Command("validate")
    .description("Compares every row of the source, as it was loaded, with the target.")
    .option("-s, --stack <name>", "the stack", "dev")
    .addOption(
      new Option("--thresholds <preset>", "what to demand, in place of the stack's config").choices(
        Object.keys(thresholdPresets),
      ),
    )
    .option("--request", "read one request as a JSON line from stdin, answer with one on stdout", false);
  return withReportFiles(command).action(async (options: ValidateOptions) => {
    if (options.request) {
      const withFailures = reporter({ failures: true });
      return serveRequest<ValidateCommandRequest, ValidationReport>((each, signal) =>
        validate(each, withFailures, signal),
      );
    }
    const files = ReportFiles.prepare(options);
    try {
      const request = await requestOf(options);
      const report = await validate(request, reporter({ failures: false }));
      files.write(report);
      if (report.status === "FAIL") process.exitCode = 1;
    } catch (error) {
      files.discard();
      throw error;
    }
  });
}

async function requestOf({ stack, thresholds }: ValidateOptions): Promise<ValidateCommandRequest> {
  const { readStackConfig } = await import("./stack-config.ts");
  const { connectionAs, stackFolder } = await import("./stack-services.ts");
  const target = await connectionAs(stack, "timelift_readonly");
  const { user, password } = await connectionAs(stack, "timelift_loader");
  const config = await readStackConfig(stack);
  const copyPath = copyPathIn(stackFolder(stack));
  return {
    workload: workloadReference(config),
    source: config.source,
    copyPath,
    expectedFingerprint: recordedFingerprint(copyPath) ?? "",
    target,
    recorder: { user, password },
    edition: config.edition,
    hypertables: config.hypertables,
    thresholds: thresholds ? thresholdPresets[thresholds] : config.thresholds,
  };
}

async function validate(
  request: ValidateCommandRequest,
  events: Reporter,
  signal?: AbortSignal,
): Promise<ValidationReport> {
  const { loader, name, migrationsDir, context: given } = await findWorkload(request.workload);
  const context = { ...given, edition: request.edition, hypertables: request.hypertables };
  const hypertables = (await declaredHypertables(migrationsDir, context)).map(expected);
  const declared = (await realisations(migrationsDir, context)).map(declaredObject);
  const keys = () => declaredKeys(migrationsDir, context);
  const { source, target, thresholds = strictThresholds } = request;
  const at = new Date().toISOString();
  const args = {
    ...request,
    thresholds,
    workload: name,
    loader,
    hypertables,
    declared,
    keys,
    signal,
    events,
  };
  const result = await runValidation(args);
  await record(request, name, result);
  return {
    ...result,
    thresholds,
    subject: {
      workload: name,
      source: basename(source),
      target: describeTarget(target),
      at,
    },
    load: await readLoadHistory(target, name),
  };
}

/** Keeps the result for monitoring. A proof stands without it, so what prevents it is said and no more. */
async function record(
  { target, recorder }: ValidateCommandRequest,
  workload: string,
  report: ValidationReport,
): Promise<void> {
  if (recorder === undefined) return;
  try {
    const client = await connect({ ...target, ...recorder, readOnly: false }, "validate: record");
    try {
      await Ledger.open(client, workload);
      await recordValidation(client, workload, report);
    } finally {
      await client.end();
    }
  } catch (error) {
    process.stderr.write(`the result is in the report, and not in the target: ${(error as Error).message}\n`);
  }
}

function expected({ table, time, chunk }: DeclaredHypertable): ExpectedHypertable {
  return { table, column: time, interval: intervalText(chunk) };
}

type Reporter = (event: ValidationEvent) => void;

/** Progress for people, on stderr: rows while a large table is read, and failures, if asked, as they are found. */
function reporter({ failures }: { failures: boolean }): Reporter {
  let announced = 0;
  return (event) => {
    if (event.kind === "check") {
      announced = 0;
      if (failures && event.check.status === "FAIL") process.stderr.write(`${renderCheck(event.check)}\n`);
    } else if (event.rows - announced >= rowsBetweenLines) {
      announced = event.rows;
      process.stderr.write(`comparing ${event.table}: ${event.rows.toLocaleString("en-US")} rows\n`);
    }
  };
}
