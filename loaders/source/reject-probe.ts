import { CopyBuffer } from "../encode/copy-buffer.ts";
import { type EncodedColumn, rowEncoder } from "../encode/row-encoder.ts";
import { ValueProblem } from "../encode/value-problem.ts";
import type { RejectedRow } from "../reject.ts";
import type { Source } from "./open-source.ts";
import type { RefusedRows } from "./refused-rows.ts";
import { rejectRow } from "./reject-row.ts";
import { readBatches, type TableRead } from "./table-reader.ts";

/** What became of rejected rows since: each of them fits now, is still rejected, or is no longer there. */
export interface RejectProbe {
  fits: bigint[];
  rejected: RejectedRow[];
  gone: bigint[];
}

/** Reads rows by rowid and tries to encode them; those that are refused are rejected again. */
export function probeRows(
  source: Source,
  read: TableRead,
  columns: EncodedColumn[],
  rowids: bigint[],
  refused: RefusedRows,
): RejectProbe {
  const encode = rowEncoder(columns, 1);
  const reject = rejectRow(source, read, columns);
  const out = new CopyBuffer(4096);
  const probe: RejectProbe = { fits: [], rejected: [], gone: [] };
  const missing = new Set(rowids);
  for (const batch of readBatches(source, read, { rowids })) {
    for (const row of batch) {
      const rowid = row[0] as bigint;
      const standing = refused.get(Number(rowid))?.values;
      missing.delete(rowid);
      let rejected: RejectedRow | null = null;
      out.at = 0;
      try {
        encode(row, out);
        if (out.suspect || standing) rejected = reject(row, standing);
      } catch (error) {
        if (!(error instanceof ValueProblem)) throw error;
        rejected = reject(row, standing);
      }
      out.suspect = false;
      if (rejected === null) probe.fits.push(rowid);
      else probe.rejected.push(rejected);
    }
  }
  probe.gone.push(...missing);
  return probe;
}
