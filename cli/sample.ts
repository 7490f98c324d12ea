import { Command } from "commander";
import { buildSample } from "./sample/stockula.ts";

/** `timelift sample PATH`: writes the demo's SQLite database. */
export function sampleCommand(): Command {
  return new Command("sample")
    .description("write the demo's SQLite database: the S&P 500 by day and five symbols by month")
    .argument("<path>", "the file to write; replaced when it is there")
    .action(async (path: string) => {
      const { rows } = await buildSample(path);
      for (const [table, count] of Object.entries(rows)) {
        process.stdout.write(`${table.padEnd(18)} ${count.toLocaleString("en-US").padStart(7)} rows\n`);
      }
    });
}
