import { quoteIdentifier } from "../identifier.ts";
import { openSource } from "./open-source.ts";
import type { RowRange, TableRead } from "./table-reader.ts";

/** Cuts a range of rowids into stretches of equal width; a range of anything else stays whole. */
export function splitRange(path: string, read: TableRead, range: RowRange, pieces: number): RowRange[] {
  if (read.rowid === null || range.beyond !== undefined || range.rowids !== undefined) return [range];
  const source = openSource(path);
  try {
    const of = (extreme: string) =>
      source
        .prepare(`SELECT ${extreme}(${read.rowid}) FROM ${quoteIdentifier(read.table)}`)
        .pluck()
        .get() as bigint | null;
    const [lowest, highest] = [range.lo ?? of("min"), range.hi ?? of("max")];
    if (lowest === null || highest === null || highest - lowest < pieces) return [range];
    const width = (highest - lowest) / BigInt(pieces) + 1n;
    return Array.from({ length: pieces }, (_, i): RowRange => {
      const lo = lowest + BigInt(i) * width;
      const last = i === pieces - 1;
      const open = last ? range.hi : lo + width - 1n;
      return { ...(i === 0 ? range : { lo }), ...(open === undefined ? {} : { hi: open }) };
    });
  } finally {
    source.close();
  }
}
