import { Command, Option } from "commander";
import { defaultWorkload, findSample, sampleNames } from "./sample/samples.ts";

/** `timelift sample PATH [--workload NAME]`: writes a demo's SQLite database. */
export function sampleCommand(): Command {
  return new Command("sample")
    .description("Writes the SQLite database that a workload's demo deploys.")
    .argument("<path>", "the file to write; replaced when it is there")
    .addOption(workloadOption())
    .action(async (path: string, { workload }: { workload: string }) => {
      const buildSample = await findSample(workload);
      const { rows } = await buildSample(path);
      for (const [table, count] of Object.entries(rows)) {
        process.stdout.write(`${table.padEnd(22)} ${count.toLocaleString("en-US").padStart(7)} rows\n`);
      }
    });
}

/** `--workload NAME`: whose sample. */
export function workloadOption(): Option {
  return new Option("--workload <name>", `the application: ${sampleNames.join(", ")}`).default(
    defaultWorkload,
  );
}
