import { TimeliftError } from "../../loaders/timelift-error.ts";
import { refreshing } from "../container-drift.ts";
import { hearPulumi } from "../pulumi.ts";
import { driftLines } from "../schema/preview-drift.ts";
import { type ChangePlan, planOf } from "./change-plan.ts";
import { withoutPlaces } from "./places.ts";
import { type PulumiPreview, readSteps } from "./resource-step.ts";

/** Options that only say how Pulumi prints, which a plan has its own way for. */
const looks = new Set(["--diff", "--json", "-j", "--show-sames", "--show-config", "--expect-no-changes"]);

/**
 * Runs `pulumi preview` and sums it up. A preview that fails gives a plan with its errors. It reads `--json`: the
 * engine's event log holds every password in plain text.
 *
 * @param args Pulumi's own options, e.g. `--refresh`
 * @throws TimeliftError `preview-secrets` for `--show-secrets`, for what is summed up is meant to be published
 */
export async function runPreview(stack: string, args: string[]): Promise<ChangePlan> {
  if (args.some((each) => /^--show-secrets(=|$)/.test(each))) {
    throw new TimeliftError({
      code: "preview-secrets",
      subject: "timelift preview --show-secrets",
      problem: "the summary of a preview is read by many, and holds no secret",
      remedy: "leave the option out, or run the preview without --markdown and --exit-code",
    });
  }
  const drift = await driftLines(stack);
  const fixed = ["preview", "--json", "--show-sames", "--non-interactive", "--stack", stack];
  const { stdout, stderr, exitCode } = await hearPulumi(
    [...fixed, ...(await refreshing(stack, args)), ...args.filter((each) => !looks.has(each))],
    // Whoever sets it gets events in place of one JSON.
    { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "" },
  );
  const preview = readSteps(parsed(stdout));
  if (exitCode !== 0 && preview.errors.length === 0) {
    preview.errors.push(stderr.trim() || stdout.trim() || `pulumi preview ended with ${exitCode}`);
  }
  return planOf(stack, { ...preview, errors: preview.errors.map(withoutPlaces) }, drift.map(withoutPlaces));
}

/** A plan of a stack that could not even be asked about. */
export function failedPlan(stack: string, error: string): ChangePlan {
  return planOf(stack, { steps: [], errors: [withoutPlaces(error)] }, []);
}

/** Text that is no JSON says nothing of steps; what it says is an error then. */
function parsed(stdout: string): PulumiPreview {
  try {
    return JSON.parse(stdout) as PulumiPreview;
  } catch {
    return {};
  }
}
