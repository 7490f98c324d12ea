import { z } from "zod";

const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, "a day as YYYY-MM-DD");

/** `timelift:alerts`: what a stack demands of itself. */
export const alerts = z
  .strictObject({
    /**
     * Table -> the day on which its source ended: no newer row is expected of it.
     */
    expectedUntil: z.record(z.string(), day).default({}),
  })
  .prefault({});
export type AlertConfig = z.infer<typeof alerts>;
export const alertNames = Object.keys({ expectedUntil: true });
