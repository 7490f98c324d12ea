import type { Ratios } from "./ratios.ts";

/** What a figure should be for 2.5 million rows on two cores. */
export interface Goal {
  key: keyof Ratios;
  title: string;
  /** At most or at least; no goal where it is only told. */
  goal?: { atMost: number } | { atLeast: number };
  unit: "" | " MiB";
}

export const goals: Goal[] = [
  { key: "floor", title: "load + primary key ÷ floor", goal: { atMost: 1.05 }, unit: "" },
  { key: "pgloader", title: "pgloader ÷ timelift", goal: { atLeast: 4.5 }, unit: "" },
  { key: "sling", title: "sling ÷ timelift", unit: "" },
  { key: "pipe", title: "sqlite3 pipe ÷ timelift", goal: { atLeast: 4 }, unit: "" },
  { key: "validation", title: "full validation ÷ load", goal: { atMost: 0.5 }, unit: "" },
  { key: "memoryMb", title: "peak memory, all processes", goal: { atMost: 200 }, unit: " MiB" },
  { key: "columnstoreTime", title: "load to columnstore ÷ load to rowstore", goal: { atMost: 1 }, unit: "" },
  { key: "columnstoreSize", title: "columnstore ÷ SQLite file", goal: { atMost: 0.15 }, unit: "" },
  { key: "unchanged", title: "unchanged load ÷ empty run of the CLI", goal: { atMost: 2 }, unit: "" },
  { key: "incremental", title: "load after 1 % new rows ÷ full load", goal: { atMost: 0.05 }, unit: "" },
];

/** One figure against its goal, as text. */
export interface Verdict {
  title: string;
  value: string;
  goal: string;
  verdict: "reached" | "missed" | "not measured" | "";
}

export function verdicts(ratios: Ratios): Verdict[] {
  return goals.map(({ key, title, goal, unit }) => {
    const value = ratios[key];
    return {
      title,
      value: value === null ? "–" : `${shortNumber(value)}${unit}`,
      goal: goal === undefined ? "" : `${"atMost" in goal ? "≤" : "≥"} ${Object.values(goal)[0]}${unit}`,
      verdict:
        value === null
          ? "not measured"
          : goal === undefined
            ? ""
            : isReached(value, goal)
              ? "reached"
              : "missed",
    };
  });
}

function isReached(value: number, goal: { atMost: number } | { atLeast: number }): boolean {
  return "atMost" in goal ? value <= goal.atMost : value >= goal.atLeast;
}

/** Three digits that count. */
function shortNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
