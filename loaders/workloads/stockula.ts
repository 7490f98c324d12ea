import { z } from "zod";
import { defineLoader, drop } from "../define-loader.ts";

/** `timelift:workloadOptions` of stockula. */
export const options = z.strictObject({
  /**
   * Type of every price column. `double precision` keeps what the application stores
   * (129.94000244140625); `numeric(20,6)` rounds to six decimals, and validation compares under that rounding.
   */
  priceType: z.enum(["double precision", "numeric(20,6)"]).default("double precision"),
});

export default defineLoader({
  tables: {
    stocks: {},
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
      absent: ["adjusted_close"],
    },
    dividends: { columns: { id: drop, date: "time" } },
    splits: { columns: { id: drop, date: "time" } },
    options_calls: {},
    options_puts: {},
    stock_info: { columns: { info_json: "info" } },
    strategies: {},
    strategy_presets: { columns: { parameters_json: "parameters" } },
    autots_models: {},
    autots_presets: {},
  },
});
