import { days } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.columnstorePolicy("price_history", { after: days(90) });
});

export const down = up.reverse;
