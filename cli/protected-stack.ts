import { TimeliftError } from "../loaders/timelift-error.ts";
import { isFilesVolume } from "../stacks/platforms/docker/volume-names.ts";
import type { ChangePlan } from "./preview/change-plan.ts";
import { askPulumi } from "./pulumi.ts";

/** Whether the stack's config says `timelift:protect`; a config that cannot be used is the program's to refuse. */
export async function isProtectedStack(stack: string): Promise<boolean> {
  const config = JSON.parse(await askPulumi(["config", "--stack", stack, "--json"])) as Record<
    string,
    { value?: string }
  >;
  return config["timelift:protect"]?.value === "true";
}

/**
 * Refuses a plan of a protected stack that takes a data volume away. What drops tables is refused by the migrations
 * themselves, in Pulumi's own preview.
 * @throws TimeliftError `stack-protected`
 */
export function requireKept({ stack, dataLosses }: Pick<ChangePlan, "stack" | "dataLosses">): void {
  if (dataLosses.length === 0) return;
  throw new TimeliftError({
    code: "stack-protected",
    subject: `stack ${stack}`,
    problem: `it is protected (timelift:protect), and the plan deletes data\n${dataLosses
      .map((line) => `  ${line.replaceAll("`", "")}`)
      .join("\n")}`,
    remedy: `leave the resource as it is; on purpose: pulumi config set --stack ${stack} timelift:protect false, then the same again`,
  });
}

/** What is read of `pulumi stack export`. */
interface ExportedStack {
  deployment: { resources?: { type: string; urn: string; retainOnDelete?: boolean; delete?: boolean }[] };
}

/**
 * Refuses to destroy a protected stack whose state still lets data volumes of containers go: a destroy does not run the
 * program, so a protection that no `up` has brought there would not hold.
 * @throws TimeliftError `stack-protected`
 */
export async function requireRetained(stack: string): Promise<void> {
  const exported = JSON.parse(await askPulumi(["stack", "export", "--stack", stack])) as ExportedStack;
  const going = (exported.deployment.resources ?? [])
    .filter(({ type, retainOnDelete }) => type === "docker:index/volume:Volume" && !retainOnDelete)
    .map(({ urn }) => urn.split("::").at(-1) ?? "")
    .filter((name) => !isFilesVolume(name));
  if (going.length === 0) return;
  throw new TimeliftError({
    code: "stack-protected",
    subject: `stack ${stack}`,
    problem: `it is protected (timelift:protect), and what was deployed last lets these go: ${going.join(", ")}`,
    remedy: `./timelift up --stack ${stack}, which makes destroy keep them; then the same again`,
  });
}

/**
 * Refuses to let rows go on a protected stack, before the config says so.
 * @throws TimeliftError `stack-protected`
 */
export function requireUnprotected(stack: string, isProtected: boolean, subject: string): void {
  if (!isProtected) return;
  throw new TimeliftError({
    code: "stack-protected",
    subject,
    problem: `stack ${stack} is protected (timelift:protect), and this drops tables with their rows`,
    remedy: `on purpose: pulumi config set --stack ${stack} timelift:protect false, then the same again`,
  });
}
