import type { RejectedRow } from "../reject.ts";
import type { EncodeJob } from "./encode-parts.ts";
import { placeOf } from "./table-reader.ts";

/**
 * Whether a rejected row has a problem in the column whose last value would be remembered: nothing is known to lie
 * beyond a value that is no value of its column, such as the text "soon" among dates.
 */
export function hasBrokenWatermark({ read, columns }: EncodeJob, rejects: RejectedRow[]): boolean {
  if (read.watermark === null || rejects.length === 0) return false;
  const target = columns[placeOf(read, read.watermark.column)]?.target;
  return rejects.some(({ values }) => values.some(({ column }) => column === target));
}
