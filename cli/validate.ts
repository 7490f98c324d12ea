import { Command } from "commander";
import type { ExpectedHypertable } from "../loaders/validate/hypertable-checks.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { runValidation, type Thresholds, type ValidationEvent } from "../loaders/validate/run-validation.ts";
import type { ValidationReport } from "../loaders/validation-report.ts";
import { intervalText } from "../migrations/interval.ts";
import { declaredHypertables } from "../migrations/render.ts";
import type { DeclaredHypertable } from "../migrations/timescale.ts";
import type { ValidateCommandRequest } from "../stacks/resources/validation-provider.ts";
import { findWorkload } from "../stacks/workload.ts";
import { serveRequest } from "./request.ts";

/** One line on stdin of `timelift validate --request`. */
type Request = ValidateCommandRequest & { thresholds?: Thresholds };

const rowsBetweenLines = 500_000;

/** `timelift validate --request`: compares every row. A FAIL is an answer; only a run that could not be is an error. */
export function validateCommand(): Command {
  return new Command("validate")
    .description("compare every row of the source with the target")
    .requiredOption("--request", "read one request as a JSON line from stdin, answer with one on stdout")
    .action(() => serveRequest<Request, ValidationReport>(validate));
}

async function validate(request: Request, signal: AbortSignal): Promise<ValidationReport> {
  const { loader, name, migrationsDir, context } = await findWorkload(request.workload);
  const hypertables = (await declaredHypertables(migrationsDir, context)).map(expected);
  return runValidation({ ...request, workload: name, loader, hypertables, signal, events: reporter() });
}

function expected({ table, time, chunk }: DeclaredHypertable): ExpectedHypertable {
  return { table, column: time, interval: intervalText(chunk) };
}

/** Progress for people, on stderr: rows while a large table is read, and failures as they are found. */
function reporter(): (event: ValidationEvent) => void {
  let announced = 0;
  return (event) => {
    if (event.kind === "check") {
      announced = 0;
      if (event.check.status === "FAIL") process.stderr.write(`${renderCheck(event.check)}\n`);
    } else if (event.rows - announced >= rowsBetweenLines) {
      announced = event.rows;
      process.stderr.write(`comparing ${event.table}: ${event.rows.toLocaleString("en-US")} rows\n`);
    }
  };
}
