import { renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { connect } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { connectionAs } from "./stack-services.ts";

/**
 * `timelift metrics`: what loads and validations of a stack left behind, in Prometheus' text format, from the target.
 * With `--textfile`, for a node exporter that reads it (`--collector.textfile.directory`).
 */
export function metricsCommand(): Command {
  return new Command("metrics")
    .description("Prints what loads and validations left behind, as Prometheus reads it.")
    .option("-s, --stack <name>", "the stack", "dev")
    .option(
      "--textfile <file>",
      "write it to a file instead, whole or not at all; a node exporter wants *.prom",
    )
    .action(async ({ stack, textfile }: { stack: string; textfile?: string }) => {
      const { readOwnMetrics } = await import("./metrics/own-metrics.ts");
      const client = await connect(await connectionAs(stack, "timelift_readonly"), "metrics");
      try {
        const registry = await readOwnMetrics(client);
        registry.setDefaultLabels({ stack });
        const text = await registry.metrics();
        if (textfile === undefined) process.stdout.write(text);
        else replace(resolve(textfile), text);
      } finally {
        await client.end();
      }
    });
}

/** The exporter never sees half a file; and it may be another user, who has to be able to read it. */
function replace(path: string, text: string): void {
  const half = `${path}.${process.pid}`;
  try {
    writeFileSync(half, text, { mode: 0o644 });
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw new TimeliftError({
      code: "file-unwritable",
      subject: path,
      problem: `it cannot be written: ${(error as Error).message}.`,
      remedy: "Name a file in a folder that exists and that you may write to.",
      cause: error,
    });
  }
}
