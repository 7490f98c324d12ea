import type { Run } from "./contender.ts";

/** The middle one, or the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new RangeError("nothing has no median");
  return (low + high) / 2;
}

/** The median of each figure by itself; null where it was not measured. */
export function medianRun(runs: Run[]): Run {
  const of = (pick: (run: Run) => number | null): number | null => {
    const values = runs.map(pick);
    return values.some((value) => value === null) ? null : median(values as number[]);
  };
  const steps = Object.keys(runs[0]?.steps ?? {});
  return {
    wallMs: median(runs.map((run) => run.wallMs)),
    cpuMs: of((run) => run.cpuMs),
    serverCpuMs: of((run) => run.serverCpuMs),
    memoryMb: of((run) => run.memoryMb),
    ...(steps.length > 0 && {
      steps: Object.fromEntries(
        steps.map((name) => [name, median(runs.map((run) => run.steps?.[name] ?? 0))]),
      ),
    }),
  };
}
