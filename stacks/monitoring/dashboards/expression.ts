import type { OwnName, RecordedName } from "../series.ts";

export type SeriesName = RecordedName | OwnName;

/** The samples of the chosen stack: `of("timelift:target_up", 'job="postgres"')`. */
export function of(name: SeriesName, ...labels: string[]): string {
  return `${name}{${['stack="$stack"', ...labels].join(", ")}}`;
}

/** The variable by which stacks are told apart: one Prometheus may watch several. */
export const stack = {
  name: "stack",
  label: "Stack",
  values: { series: "timelift:target_up", label: "stack" },
};
