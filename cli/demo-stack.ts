import { TimeliftError } from "../loaders/timelift-error.ts";
import type { WorkloadReference } from "../stacks/workload.ts";
import { askPulumi } from "./pulumi.ts";
import { defaultWorkload } from "./sample/samples.ts";

/**
 * The stack in which a workload's demo runs when none is named: `dev` for the default workload, `dev-<workload>` for
 * any other. Two workloads in one database would mix, in its tables and in its migrations' history, so each demo has
 * services, data and ports of its own (`Pulumi.<stack>.yaml`): they stand side by side, in any order, and
 * `./timelift destroy --stack NAME` takes one back without touching the other.
 */
export function demoStack(workload: string): string {
  return workload === defaultWorkload ? "dev" : `dev-${workload}`;
}

/**
 * Sees to it that a stack can show a workload: that it holds no other, and that its config sends it to no other.
 * @throws TimeliftError `demo-stack-taken`
 */
export async function requireStackFor(workload: string, stack: string): Promise<void> {
  const [held, path] = await Promise.all([heldWorkload(stack), configuredPath(stack)]);
  if (held !== undefined && (held.name !== workload || held.path !== "")) {
    throw new TimeliftError({
      code: "demo-stack-taken",
      subject: `stack ${stack}`,
      problem: `it holds the workload ${held.name}; two workloads in one database would mix.`,
      remedy: `name a stack that holds nothing (the demo's own is ${demoStack(workload)}), or take this one back first: ./timelift destroy --stack ${stack}`,
    });
  }
  if (path !== "") {
    throw new TimeliftError({
      code: "demo-stack-taken",
      subject: `stack ${stack}`,
      problem: `its config names a workload of your own, timelift:workloadPath = ${path}.`,
      remedy: `show the sample in another stack: ./timelift demo --workload ${workload} --stack NAME`,
    });
  }
}

/** The workload that the stack's resources were made of. */
async function heldWorkload(stack: string): Promise<WorkloadReference | undefined> {
  const { deployment } = JSON.parse(await askPulumi(["stack", "export", "--stack", stack])) as {
    deployment: { resources?: { inputs?: { workload?: WorkloadReference } }[] };
  };
  return deployment.resources?.flatMap(({ inputs }) => inputs?.workload ?? [])[0];
}

async function configuredPath(stack: string): Promise<string> {
  const config = JSON.parse(await askPulumi(["config", "--stack", stack, "--json"])) as Record<
    string,
    { value?: string }
  >;
  return config["timelift:workloadPath"]?.value ?? "";
}
