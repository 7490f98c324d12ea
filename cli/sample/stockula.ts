import { sampleRows } from "./stockula-rows.ts";
import { schema } from "./stockula-schema.ts";
import { type WrittenSample, writeSample } from "./write-sample.ts";

/** Writes the sample of the stockula application (`writeSample`): real prices, the rest made up around them. */
export async function buildSample(path: string): Promise<WrittenSample> {
  return writeSample(path, { schema, rows: sampleRows() });
}
