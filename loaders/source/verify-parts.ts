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
  /** Rows beyond the last part; for `updatedAt`, rows written since. */
  beyond: number;
}

/** Reads what the table's change rule asks for and compares it with the parts of the last load. */
export function verifyParts(
  { source, path }: { source: Source; path: string },
  read: TableRead,
  parts: Part[],
  seed: string,
): Verification {
  const loaded = parts.reduce((sum, part) => sum + sourceRows(part), 0);
  const remembered =
    read.watermark?.kind === "append" && read.rowid !== null ? true : lastWatermark(parts) !== null;
  if (read.watermark !== null && remembered) {
    const beyond = countRows(source, read, rangeBeyond(read, parts));
    const rows = read.watermark.kind === "append" ? loaded + beyond : countRows(source, read, {});
    return { rows, held: parts.map(() => true), changedRows: 0, beyond };
  }
  const ranged = parts.every((part) => (part.lo === null) === (read.rowid === null));
  if (read.watermark !== null || !ranged || (read.rowid === null && parts.length > 1)) {
    const rows = countRows(source, read, {});
    return { rows, held: parts.map(() => false), changedRows: rows, beyond: 0 };
  }
  const table = pagedTable(source, read);
  const held: boolean[] = [];
  let changedRows = 0;
  let rows = 0;
  let lo: bigint | undefined;
  for (const part of parts) {
    // A part covers everything after the one before it, so that rows in gaps are found.
    const range = part.hi === null ? {} : { lo, hi: BigInt(part.hi) };
    const now =
      table === null ? digestRange(source, read, range, seed) : digestPages(path, table, range, seed);
    const same = now.rows === sourceRows(part) && now.digest === part.digest;
    held.push(same);
    rows += now.rows;
    if (!same) changedRows += now.rows;
    if (part.hi !== null) lo = BigInt(part.hi) + 1n;
  }
  const beyond = read.rowid === null ? 0 : countRows(source, read, rangeBeyond(read, parts));
  return { rows: rows + beyond, held, changedRows, beyond };
}

/** The rows that no part covers yet. */
export function rangeBeyond(read: TableRead, parts: Part[]): RowRange {
  const watermark = lastWatermark(parts);
  if (read.watermark !== null && read.rowid === null && watermark !== null) {
    return { beyond: { column: read.watermark.column, value: watermark, inclusive: false } };
  }
  if (read.watermark?.kind === "updatedAt" && watermark !== null) {
    return { beyond: { column: read.watermark.column, value: watermark, inclusive: false } };
  }
  const last = parts.reduce<number | null>(
    (hi, part) => (hi === null || (part.hi ?? hi) > hi ? part.hi : hi),
    null,
  );
  return last === null ? {} : { lo: BigInt(last) + 1n };
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
