import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { showEngine } from "../stacks/platforms/docker/engine.ts";
import { isExternal } from "./external-stack.ts";
import { stackService } from "./stack-services.ts";

/** `timelift logs SERVICE`: the end of a service's log, and with -f what it says from now on. */
export function logsCommand(): Command {
  return new Command("logs")
    .description("The end of a service's log.")
    .argument("<service>", "timescaledb, pgbouncer, redis or prometheus")
    .option("--stack <name>", "the stack", "dev")
    .option("-n, --lines <count>", "how many lines", lineCount, 100)
    .option("-f, --follow", "go on until Ctrl-C")
    .action(async (name: string, options: { stack: string; lines: number; follow?: boolean }) => {
      if (name === "timescaledb" && isExternal(options.stack)) throw elsewhere(options.stack);
      const service = stackService(options.stack, name);
      if ("container" in service) {
        const follow = options.follow ? ["--follow"] : [];
        const args = ["logs", "--tail", String(options.lines), ...follow, service.container];
        process.exitCode = await showEngine(service.engine, args);
        return;
      }
      const { folder } = service;
      const end = printEnd(folder.logFile, options.lines);
      if (options.follow) await follow(folder.logFile, end);
    });
}

function elsewhere(stack: string): TimeliftError {
  return new TimeliftError({
    code: "service-external",
    subject: "timescaledb",
    problem: `stack ${stack} has an external database, whose log is where it runs.`,
    remedy: "look there; timelift status says whether it answers.",
  });
}

function lineCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError("a whole number is wanted.");
  return count;
}

/** Prints the last lines and returns where the file ended. */
function printEnd(file: string, count: number): number {
  if (!existsSync(file)) return 0;
  const contents = readFileSync(file);
  const lines = contents.toString("utf8").trimEnd().split("\n");
  const last = count === 0 ? [] : lines.slice(-count);
  if (last.length > 0) console.log(last.join("\n"));
  return contents.length;
}

/** Prints what is added; a log that was set aside for a new one is read from its beginning. */
async function follow(file: string, from: number): Promise<never> {
  for (let position = from; ; await sleep(200)) {
    const size = existsSync(file) ? statSync(file).size : 0;
    if (size < position) position = 0;
    if (size === position) continue;
    for await (const piece of createReadStream(file, { start: position, end: size - 1 }))
      process.stdout.write(piece);
    position = size;
  }
}
