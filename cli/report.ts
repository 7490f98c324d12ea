import { Command } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { ValidationReport } from "../loaders/validation-report.ts";
import { askPulumi } from "./pulumi.ts";
import { type ReportFileOptions, ReportFiles, withReportFiles } from "./report-files.ts";

/** What is read of `pulumi stack export --show-secrets`; a secret stands there with its value as JSON. */
interface ExportedStack {
  deployment: { resources?: { type: string; outputs?: { report?: string | { plaintext: string } } }[] };
}

/**
 * `timelift report`: the report of the stack's last validation again, from its state, without asking the database.
 * Exit code 1 when that validation failed.
 */
export function reportCommand(): Command {
  const command = new Command("report")
    .description("Shows the report of the last up's validation again, without asking the database.")
    .option("-s, --stack <name>", "the stack", "dev");
  return withReportFiles(command).action(async (options: ReportFileOptions & { stack: string }) => {
    const files = ReportFiles.prepare(options);
    try {
      const report = await lastReport(options.stack);
      files.write(report);
      if (report.status === "FAIL") process.exitCode = 1;
    } catch (error) {
      files.discard();
      throw error;
    }
  });
}

/**
 * The state rather than the stack's outputs: an update that failed leaves those as they were before.
 * @throws TimeliftError `report-missing`
 */
async function lastReport(stack: string): Promise<ValidationReport> {
  const { deployment } = JSON.parse(
    await askPulumi(["stack", "export", "--stack", stack, "--show-secrets"]),
  ) as ExportedStack;
  const validation = deployment.resources?.find(({ type }) => type.endsWith("timelift:Validation"));
  const output = validation?.outputs?.report;
  const text = typeof output === "object" ? (JSON.parse(output.plaintext) as string) : output;
  const report = JSON.parse(text || "{}") as Partial<ValidationReport>;
  if (report.status !== undefined) return report as ValidationReport;
  throw new TimeliftError({
    code: "report-missing",
    subject: `stack ${stack}`,
    problem: validation
      ? "its last update proved nothing, because timelift:migrateTo leaves migrations down"
      : "it has not been validated yet",
    remedy: validation ? "Empty timelift:migrateTo, then timelift up." : "Run timelift up.",
  });
}
