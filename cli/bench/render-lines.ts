import type { BenchResult } from "./bench-result.ts";
import { count, type TextTable, tablesOf } from "./tables.ts";

/** A result as a terminal shows it: columns aligned. */
export function renderLines(result: BenchResult): string[] {
  return [...about(result), ...tablesOf(result).flatMap(alignedTable)];
}

/** What every figure depends on, a fact a line. */
export function about({ rows, sourceBytes, seed, rounds, machine, settings }: BenchResult): string[] {
  const { fsync, full_page_writes, synchronous_commit, ...sizes } = settings;
  return [
    `source: ${count(rows)} rows of price_history, ${(sourceBytes / 1e6).toFixed(0)} MB, seed ${seed}; ${rounds} round${rounds === 1 ? "" : "s"}`,
    `machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}, ${machine.fileSystem}`,
    `versions: ${entries(machine.versions)}`,
    `server: fsync ${fsync}, full_page_writes ${full_page_writes}, synchronous_commit ${synchronous_commit}, tables logged`,
    `memory of the server: ${entries(sizes)}`,
  ];
}

function entries(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function alignedTable({ title, head, rows, notes }: TextTable): string[] {
  const lines = head.length > 0 ? [head, ...rows] : [];
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return ["", title, ...text.map((line) => `  ${line}`), ...notes.map((note) => `  ${note}`)];
}
