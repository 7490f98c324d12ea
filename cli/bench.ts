import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { type BenchResult, type Measure, measures } from "./bench/bench-result.ts";
import { charts } from "./bench/charts.ts";
import { renderLines } from "./bench/render-lines.ts";
import { renderMarkdown } from "./bench/render-markdown.ts";
import { runBench } from "./bench/run-bench.ts";

interface BenchOptions {
  rows: number;
  runs: number;
  seed: number;
  only: Measure[];
  from?: string[];
  json?: string;
  svg?: string;
  markdown?: string;
  keep: boolean;
}

/** `timelift bench`: how fast a load is, beside the fastest possible one and beside other tools, on this machine. */
export function benchCommand(): Command {
  return new Command("bench")
    .description(
      "Measures timelift beside the server's own COPY, pgloader, sling and the shells' pipe, on a server of its own.",
    )
    .option("--rows <n>", "rows of the generated source", positive, 2_500_000)
    .option("--runs <n>", "rounds; every figure is the median of them", positive, 3)
    .option("--seed <n>", "another seed gives other prices", positive, 1)
    .option("--only <names>", `some of ${measures.join(",")}`, measureList, [...measures])
    .option(
      "--from <files...>",
      "measure nothing: show what --json wrote; further files add their sizes to --markdown",
    )
    .option("--json <file>", "write all figures")
    .option("--svg <folder>", "write the plots, bench-*.svg")
    .option("--markdown <file>", "write them as a page; it shows the plots of --svg")
    .option("--keep", "leave server and files until the next bench", false)
    .action(bench);
}

async function bench(options: BenchOptions): Promise<void> {
  const [result, ...others] = options.from?.map(readResult) ?? [await measure(options)];
  if (result === undefined) return;
  for (const line of renderLines(result)) console.log(line);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  const plots = charts(result);
  if (options.svg) {
    mkdirSync(options.svg, { recursive: true });
    for (const { file, svg } of plots) writeFileSync(join(options.svg, file), svg);
  }
  if (options.markdown) {
    const { markdown, svg } = options;
    const images = svg
      ? plots.map(({ file, title }) => ({ title, path: relative(join(markdown, ".."), join(svg, file)) }))
      : [];
    writeFileSync(markdown, renderMarkdown(result, others, images));
  }
}

/** Ctrl-C ends what the bench has started, and removes it. */
async function measure({ rows, runs, seed, only, keep }: BenchOptions): Promise<BenchResult> {
  const abort = new AbortController();
  const stop = (name: string) => {
    console.error(`bench: stopping (${name}); taking away what was started`);
    abort.abort(stopped(name));
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, stop);
  const began = performance.now();
  const log = (line: string) =>
    console.error(`${String(Math.round((performance.now() - began) / 1000)).padStart(5)} s  ${line}`);
  return runBench({ rows, rounds: runs, seed, only, keep, signal: abort.signal, log });
}

function stopped(name: string): TimeliftError {
  return new TimeliftError({
    code: "bench-stopped",
    subject: "timelift bench",
    problem: `it was stopped (${name}) before its figures were complete; server and files are gone`,
    remedy: "run it again; the generated source is kept",
  });
}

function readResult(file: string): BenchResult {
  try {
    const result = JSON.parse(readFileSync(file, "utf8")) as Partial<BenchResult> | null;
    if (!result?.ratios || !result.contenders) throw new Error("it holds no figures of a bench");
    return result as BenchResult;
  } catch (error) {
    throw new TimeliftError({
      code: "bench-result",
      subject: file,
      problem: `it cannot be read: ${(error as Error).message}`,
      remedy: "name a file that timelift bench --json wrote",
      cause: error,
    });
  }
}

function positive(text: string): number {
  const number = Number(text.replaceAll("_", ""));
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("it takes a whole number above zero.");
}

function measureList(text: string): Measure[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !measures.includes(name as Measure));
  if (unknown === undefined) return names as Measure[];
  throw new InvalidArgumentError(`"${unknown}" is none of ${measures.join(", ")}.`);
}
