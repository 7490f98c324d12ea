import { sampleRows } from "./forward-factor-rows.ts";
import { schema } from "./forward-factor-schema.ts";
import { type WrittenSample, writeSample } from "./write-sample.ts";

/** Writes the sample of the forward-factor application (`writeSample`): three weeks of made-up signals. */
export async function buildSample(path: string): Promise<WrittenSample> {
  return writeSample(path, { schema, rows: sampleRows() });
}
