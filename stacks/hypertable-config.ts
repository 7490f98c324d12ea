import { z } from "zod";
import { intervalPattern } from "../migrations/interval.ts";

const span = z.string().regex(intervalPattern, 'a whole number and a unit, such as "90 days"');
const column = z.string().min(1);
/** `pulumi config set --path` has no other way to set an empty list than its text. */
const noColumn = z.literal("[]").transform((): string[] => []);

const settings = z.strictObject({
  /** Span of chunks that are made from now on. */
  chunk: span.optional(),
  /** Columns that the columnstore segments by; none for an empty list, as a text too. */
  segmentBy: z.union([z.array(column), noColumn]).optional(),
  /** Columns that order a segment; each may end in ` desc`. */
  orderBy: z.array(column).min(1).optional(),
  /** Age at which chunks move to the columnstore. */
  columnstoreAfter: span.optional(),
  /** Age at which chunks are dropped; on for the declared one, off for never. */
  retention: z.union([z.enum(["on", "off"]), span]).optional(),
});

/** `timelift:hypertables`: hypertable -> what stands in place of what the migrations declare of it. */
export const hypertables = z.record(z.string(), settings).default({});

/** The keys of one hypertable. */
export const hypertableSettingNames = Object.keys(settings.shape);
