import { TimeliftError } from "../../loaders/timelift-error.ts";
import type { WrittenSample } from "./write-sample.ts";

/** Writes a workload's sample database to a path. */
export type BuildSample = (path: string) => Promise<WrittenSample>;

const samples: Record<string, () => Promise<{ buildSample: BuildSample }>> = {
  stockula: () => import("./stockula.ts"),
  "forward-factor": () => import("./forward-factor.ts"),
};

/** The workload that is shown unless another is asked for. */
export const defaultWorkload = "stockula";

/** The workloads that have a sample. */
export const sampleNames = Object.keys(samples);

/**
 * What writes the sample of a workload.
 * @throws TimeliftError `sample-missing` for a workload that has none
 */
export async function findSample(workload: string): Promise<BuildSample> {
  const sample = Object.hasOwn(samples, workload) ? samples[workload] : undefined;
  if (sample !== undefined) return (await sample()).buildSample;
  throw new TimeliftError({
    code: "sample-missing",
    subject: `workload ${workload}`,
    problem: `there is no sample of it; there is one of ${sampleNames.join(" and of ")}.`,
    remedy: `choose one of those; your own database is deployed by ./timelift up --workload NAME --source FILE`,
  });
}
