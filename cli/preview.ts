import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { refreshing } from "./container-drift.ts";
import { type DeployOptions, deployVerb, prepareDeploy, unattended } from "./deploy.ts";
import { type ChangePlan, exitCodeOf, verdictOf } from "./preview/change-plan.ts";
import { renderComment } from "./preview/comment.ts";
import { failedPlan, runPreview } from "./preview/run-preview.ts";
import { requireKept, requireTarget } from "./protected-stack.ts";
import { pulumi } from "./pulumi.ts";

interface PreviewOptions extends DeployOptions {
  markdown?: string | true;
  exitCode: boolean;
}

/**
 * `timelift preview`: Pulumi's own, behind the drift of the target's schema. With `--markdown` it is a comment for a
 * pull request instead. With either option the exit code is 0 where nothing changes, 2 where something does, 3 where
 * something destructive is among it, 1 where the preview fails.
 */
export function previewCommand(): Command {
  return deployVerb("preview")
    .option("--markdown [file]", "a comment for a pull request, into a file or to stdout (docs/ci)")
    .option("--exit-code", "exit with 0: no change, 2: change, 3: destructive change, 1: error", false)
    .action(async (options: PreviewOptions, { args }: Command) => {
      if (options.markdown !== undefined) return comment(options, args, options.markdown);
      const { stack, isProtected } = await prepareDeploy(options);
      requireTarget(stack, args);
      await printDrift(stack, args);
      const more = [...unattended("preview"), ...(await refreshing(stack, args)), ...args];
      process.exitCode = await pulumi(["preview", "--stack", stack, ...more]);
      if (process.exitCode !== 0 || !(options.exitCode || isProtected)) return;
      // What people saw says nothing of what is destructive, so it is asked once more.
      const plan = await runPreview(stack, args);
      if (isProtected) requireKept(plan);
      if (options.exitCode) report(plan, asksForJson(args) ? console.error : console.log);
    });
}

function report(plan: ChangePlan, print: (line: string) => void): void {
  print(`preview of ${plan.stack}: ${verdictOf(plan)}`);
  for (const line of plan.destructive) print(`  ${line}`);
  for (const error of plan.errors) console.error(error);
  process.exitCode = exitCodeOf(plan);
}

/** The comment is written whatever happens: one of an earlier run would speak of another change. */
async function comment(options: PreviewOptions, args: string[], to: string | true): Promise<void> {
  const plan = await planFor(options, args).catch((error: Error) => failedPlan(options.stack, error.message));
  const text = renderComment(plan);
  if (to === true) process.stdout.write(text);
  else writeFileSync(to, text);
  report(plan, console.error);
}

async function planFor(options: PreviewOptions, args: string[]): Promise<ChangePlan> {
  const { stack, isProtected } = await prepareDeploy(options);
  requireTarget(stack, args);
  const plan = await runPreview(stack, args);
  try {
    if (isProtected) requireKept(plan);
    return plan;
  } catch (error) {
    return { ...plan, errors: [(error as Error).message] };
  }
}

/** Pulumi's JSON stays alone on stdout. */
async function printDrift(stack: string, args: string[]): Promise<void> {
  const { driftLines } = await import("./schema/preview-drift.ts");
  const print = asksForJson(args) ? console.error : console.log;
  for (const line of await driftLines(stack)) print(line);
}

const asksForJson = (args: string[]) => args.some((each) => each === "--json" || each === "-j");
