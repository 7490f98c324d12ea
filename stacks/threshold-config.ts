import { z } from "zod";
import { strictThresholds, type Thresholds, thresholdPresets } from "../loaders/validate/thresholds.ts";

/** Names of the presets, e.g. for a message. */
export const presetNames = Object.keys(thresholdPresets).join(", ");

const decimal = (schema: z.ZodNumber) =>
  z.preprocess((value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value), schema);
const rows = decimal(z.int().min(0));
const share = decimal(z.number().min(0).max(1));
const positive = decimal(z.number().positive());

const keys = z.strictObject(
  {
    differingRows: rows.optional(),
    discrepancy: share.optional(),
    completeness: share.optional(),
    rejectedRows: rows.optional(),
    querySeconds: positive.optional(),
    analyticalSpeedup: positive.optional(),
    queryTolerance: decimal(z.number().min(0).max(1)).optional(),
  } satisfies Record<keyof Thresholds, z.ZodType>,
  {
    error: (issue) =>
      issue.code === "invalid_type"
        ? `neither a preset (${presetNames}) nor an object of thresholds`
        : undefined,
  },
);

/** Keys that an object of thresholds may have. */
export const thresholdNames = Object.keys(keys.shape);

/** `timelift:thresholds`: the name of a preset, or an object whose keys stand in place of those of `strict`. */
export const thresholds = z
  .preprocess((value): unknown => {
    if (typeof value === "string" && Object.hasOwn(thresholdPresets, value)) {
      return thresholdPresets[value as keyof typeof thresholdPresets];
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { ...strictThresholds, ...value } : value;
  }, keys)
  .prefault("strict");
