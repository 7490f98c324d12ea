/** `2,500,000`; below ten with one decimal where there is one. */
export function count(value: number): string {
  const rounded = value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return rounded.toLocaleString("en-US");
}

/** `17 MiB`; `under 1 MiB`. */
export function mebibytes(bytes: number): string {
  const value = bytes / 2 ** 20;
  if (value < 1) return "under 1 MiB";
  return value < 10_000 ? `${count(value)} MiB` : `${count(value / 1024)} GiB`;
}

/** `0.20 ms`, `410 ms`, `1.6 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toPrecision(2)} s`;
  if (ms >= 100) return `${ms.toFixed(0)} ms`;
  return ms < 0.01 ? "under 0.01 ms" : `${ms.toPrecision(2)} ms`;
}

/** `symbol`, `symbol and interval`. */
export function listed(names: string[]): string {
  return names.length < 2 ? (names[0] ?? "none") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
