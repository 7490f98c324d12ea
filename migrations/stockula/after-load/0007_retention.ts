import { years } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

/** Off: a history of prices is worth most when it is long. */
export const up = timescale((db) => {
  db.retention("price_history", { after: years(10), enabled: false });
  db.retention("options_calls", { after: years(2), enabled: false });
  db.retention("options_puts", { after: years(2), enabled: false });
});

export const down = up.reverse;
