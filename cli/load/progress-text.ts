import type { LoadEvent } from "../../loaders/load-event.ts";
import type { LoadResult } from "../../loaders/load-result.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import type { TableProgress, WholeProgress } from "./run-progress.ts";

/** "42 %, 1,050,000 of 2,500,000 rows, 410,000 rows/s, 62.1 MB/s, 4 s left"; "2,500,000 rows sent" at the end. */
export function progressText(progress: WholeProgress): string {
  const { rows, sent, rowsPerSecond, bytesPerSecond, etaSeconds } = progress;
  if (sent >= rows) return `${rowCount(sent)} sent`;
  const parts = [`${percent(progress)} %`, `${number(sent)} of ${rowCount(rows)}`];
  if (rowsPerSecond > 0) parts.push(`${rate(rowsPerSecond)} rows/s`);
  if (bytesPerSecond > 0) parts.push(`${megabytes(bytesPerSecond)} MB/s`);
  if (etaSeconds !== null) parts.push(`${duration(etaSeconds)} left`);
  return parts.join(", ");
}

/** "2,500,000 rows inserted in 6.1 s, 409,800 rows/s, 62.1 MB/s", or "unchanged". */
export function outcomeText({ done, rowsPerSecond, bytesPerSecond }: TableProgress): string {
  const counts = done ? countsText(done) : "";
  if (done === undefined || counts === "") return "unchanged";
  const parts = [`${counts}${done.ms > 0 ? ` in ${(done.ms / 1000).toFixed(1)} s` : ""}`];
  if (rowsPerSecond > 0 && done.ms >= 1000) parts.push(`${rate(rowsPerSecond)} rows/s`);
  if (bytesPerSecond > 0 && done.ms >= 1000) parts.push(`${megabytes(bytesPerSecond)} MB/s`);
  return parts.join(", ");
}

/** "5,665 rows inserted, 1 updated"; empty for none. */
export function countsText(counts: { inserted: number; updated: number; deleted: number }): string {
  const { inserted, updated, deleted } = counts;
  const [first, ...rest] = Object.entries({ inserted, updated, deleted }).filter(([, rows]) => rows > 0);
  if (first === undefined) return "";
  return [`${rowCount(first[1])} ${first[0]}`, ...rest.map(([verb, rows]) => `${number(rows)} ${verb}`)].join(
    ", ",
  );
}

/** Whole percents, rounded down: 100 only when all is sent. */
export function percent({ rows, sent }: Pick<WholeProgress, "rows" | "sent">): number {
  return rows === 0 ? 100 : Math.min(100, Math.floor((sent * 100) / rows));
}

/** "8 s", "3 min 20 s", "2 h 05 min". */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** Rows a second, to three digits: more would flicker and mean nothing. */
export function rate(rowsPerSecond: number): string {
  return number(Number(rowsPerSecond.toPrecision(3)));
}

export function number(value: number): string {
  return value.toLocaleString("en-US");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** "source: copied in 0.4 s"; nothing where nothing was copied. */
export function snapshotText(event: Extract<LoadEvent, { kind: "snapshot" }>): string | undefined {
  if (event.read !== "new copy") return undefined;
  const lock = event.longestLockMs > 0 ? `, longest lock ${Math.ceil(event.longestLockMs)} ms` : "";
  return `source: copied in ${(event.ms / 1000).toFixed(1)} s${lock}`;
}

/** "connection lost (…); going on in 2 s (attempt 1 of 5)". */
export function retryText({ attempt, of, waitMs, reason }: Extract<LoadEvent, { kind: "retry" }>): string {
  return `connection lost (${reason}); going on in ${duration(waitMs / 1000)} (attempt ${attempt} of ${of})`;
}

/** "5,816 rows in the target; 5,816 rows inserted in 1.2 s, 4,800 rows/s". */
export function resultText({ rows, tables, ms, rejected = 0 }: LoadResult): string {
  const counts = { inserted: 0, updated: 0, deleted: 0 };
  for (const table of Object.values(tables)) {
    counts.inserted += table.inserted;
    counts.updated += table.updated;
    counts.deleted += table.deleted;
  }
  const seconds = `${(ms / 1000).toFixed(1)} s`;
  const total = `${rowCount(rows)} in the target`;
  const changes = countsText(counts);
  const refused = rejected > 0 ? `; ${rowCount(rejected)} rejected, timelift rejects lists them` : "";
  if (changes === "") return `${total}; unchanged, ${seconds}${refused}`;
  const speed = ms >= 1000 ? `, ${rate((counts.inserted * 1000) / ms)} rows/s` : "";
  return `${total}; ${changes} in ${seconds}${counts.inserted > 0 ? speed : ""}${refused}`;
}
