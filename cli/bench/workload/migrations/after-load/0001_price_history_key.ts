import { timescale } from "../../../../../migrations/timescale.ts";

export const up = timescale((db) => {
  db.keys("price_history", { primary: ["symbol", "time", "interval"] });
});

export const down = up.reverse;
