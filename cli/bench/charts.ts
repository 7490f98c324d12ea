import { type Bar, barChart } from "./bar-chart.ts";
import { type BenchResult, isSkipped } from "./bench-result.ts";
import { contenderNames, type Run } from "./contender.ts";
import { count, memory, milliseconds, seconds } from "./tables.ts";

/** A plot as a file. */
export interface Chart {
  file: string;
  title: string;
  svg: string;
}

/** The plots of a result; what was not measured has none. */
export function charts(result: BenchResult): Chart[] {
  const subtitle = `${count(result.rows)} rows, ${result.machine.cores} cores, medians of ${result.rounds}; shorter is better`;
  const chart = (
    file: string,
    title: string,
    groups: { title?: string; bars: Bar[] }[],
    under = subtitle,
  ) => {
    const drawn = groups.filter(({ bars }) => bars.length > 0);
    return drawn.length > 0 ? [{ file, title, svg: barChart(title, under, drawn) }] : [];
  };
  return [
    ...chart("bench-time.svg", "Time to load, with keys or indexes", [
      { bars: contenderBars(result, ({ wallMs }) => wallMs, seconds) },
    ]),
    ...chart("bench-memory.svg", "Peak memory while loading", [
      { bars: contenderBars(result, ({ memoryMb }) => memoryMb, memory) },
    ]),
    ...chart(
      "bench-queries.svg",
      "The application's queries",
      queryGroups(result),
      `${count(result.rows)} rows; each query to a scale of its own; shorter is better`,
    ),
  ];
}

function contenderBars(
  { contenders }: BenchResult,
  pick: (run: Run) => number | null,
  text: (value: number) => string,
): Bar[] {
  return contenderNames.flatMap((name): Bar[] => {
    const contender = contenders[name];
    const value = isSkipped(contender) ? null : pick(contender.median);
    if (value === null) return [];
    const tone = name === "timelift" ? "own" : name === "floor" ? "muted" : "other";
    return [{ label: labels[name], value, text: text(value), tone }];
  });
}

const labels = {
  timelift: "timelift",
  floor: "floor (server-side COPY)",
  pgloader: "pgloader",
  sling: "sling (no index)",
  pipe: "sqlite3 | psql",
};

function queryGroups({ application }: BenchResult): { title: string; bars: Bar[] }[] {
  if (isSkipped(application)) return [];
  return application.queries.map(({ title, sqliteMs, timescaleMs }) => ({
    title,
    bars: [
      { label: "SQLite", value: sqliteMs, text: milliseconds(sqliteMs), tone: "other" },
      { label: "TimescaleDB", value: timescaleMs, text: milliseconds(timescaleMs), tone: "own" },
    ],
  }));
}
