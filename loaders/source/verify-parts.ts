import { type Part, sourceRows } from "../load-result.ts";
import { digestPages } from "./encode-pages.ts";
import type { Source } from "./open-source.ts";
import { pagedTable } from "./pages/paged-table.ts";
import { RowDigest } from "./row-digest.ts";
import { countRows, type RowRange, readBatches, type TableRead } from "./table-reader.ts";
import { lastWatermark } from "./watermark.ts";

/** What became of a table since its parts were loaded. */
export interface Verification {
  /** Rows the source holds now, as far as the table's change rule lets it be known. */
  rows: number;
  /** Per part: whether its rows are the same as then. */
  held: boolean[];
  /** Rows that the parts which no longer hold have now. */
  changedRows: number;
  /** Rows that no part covers; for `updatedAt`, rows written since. */
  beyond: number;
  /** Where those rows are. */
  missing: RowRange[];
}

/** Reads what the table's change rule asks for and compares it with the parts of the last load. */
export function verifyParts(
  { source, path }: { source: Source; path: string },
  read: TableRead,
  parts: Part[],
  seed: string,
): Verification {
  const loaded = parts.reduce((sum, part) => sum + sourceRows(part), 0);
  const all = (held: boolean) => parts.map(() => held);
  const inRanges = read.rowid !== null && parts.every((part) => part.lo !== null);
  const byKey = read.watermark?.kind === "append";
  if (read.watermark !== null && !(byKey && inRanges)) {
    const value = lastWatermark(parts);
    if (value !== null) {
      const range = { beyond: { column: read.watermark.column, value, inclusive: false } };
      const beyond = countRows(source, read, range);
      const rows = byKey ? loaded + beyond : countRows(source, read, {});
      return { rows, held: all(true), changedRows: 0, beyond, missing: [range] };
    }
  }
  if (!inRanges && (read.watermark !== null || read.rowid !== null || parts.length > 1)) {
    const rows = countRows(source, read, {});
    return { rows, held: all(false), changedRows: rows, beyond: 0, missing: [] };
  }
  if (!inRanges) {
    const now = digestRange(source, read, {}, seed);
    const held = parts.every((part) => now.rows === sourceRows(part) && now.digest === part.digest);
    return { rows: now.rows, held: all(held), changedRows: held ? 0 : now.rows, beyond: 0, missing: [] };
  }
  const table = byKey ? null : pagedTable(source, read);
  let changedRows = 0;
  let rows = 0;
  const held = parts.map((part) => {
    if (byKey) {
      rows += sourceRows(part);
      return true;
    }
    const range = { lo: BigInt(part.lo ?? 0), hi: BigInt(part.hi ?? 0) };
    const now =
      table === null ? digestRange(source, read, range, seed) : digestPages(path, table, range, seed);
    const same = now.rows === sourceRows(part) && now.digest === part.digest;
    rows += now.rows;
    if (!same) changedRows += now.rows;
    return same;
  });
  const missing = uncovered(parts).flatMap((range) => {
    const found = countRows(source, read, range);
    return found > 0 ? [{ range, found }] : [];
  });
  const beyond = missing.reduce((sum, { found }) => sum + found, 0);
  return { rows: rows + beyond, held, changedRows, beyond, missing: missing.map(({ range }) => range) };
}

/** The rowids that no part covers: before, between and behind them. Lanes leave gaps when they are killed. */
function uncovered(parts: Part[]): RowRange[] {
  const ranges: RowRange[] = [];
  let next: bigint | undefined;
  for (const { lo, hi } of parts.toSorted((a, b) => (a.lo ?? 0) - (b.lo ?? 0))) {
    const before = BigInt(lo ?? 0) - 1n;
    if (next === undefined) ranges.push({ hi: before });
    else if (before >= next) ranges.push({ lo: next, hi: before });
    next = BigInt(hi ?? 0) + 1n;
  }
  ranges.push(next === undefined ? {} : { lo: next });
  return ranges;
}

function digestRange(source: Source, read: TableRead, range: RowRange, seed: string) {
  const digest = new RowDigest(seed);
  const batches = readBatches(source, read, range);
  let rows = 0;
  for (let step = batches.next(); !step.done; ) {
    const before = digest.total;
    for (const row of step.value) digest.add(row, 1);
    rows += step.value.length;
    step = batches.next(digest.total - before);
  }
  return { rows, digest: digest.finish() };
}
