import { z } from "zod";
import { append, defineLoader, drop } from "../../../loaders/define-loader.ts";

/** How the target of a bench differs from measurement to measurement. */
export const options = z.strictObject({
  /** Span of one chunk of the hypertable. */
  chunk: z.enum(["month", "year"]).default("month"),
  /** Whether chunks end in the columnstore; Community edition only. */
  columnstore: z.boolean().default(false),
});

/** The one table that every contender loads; the source has no other of any size. */
export default defineLoader({
  tables: {
    price_history: {
      order: ["symbol", "time"],
      columns: {
        id: drop,
        date: "time",
        open_price: "open",
        high_price: "high",
        low_price: "low",
        close_price: "close",
      },
      change: append("id"),
    },
  },
});
