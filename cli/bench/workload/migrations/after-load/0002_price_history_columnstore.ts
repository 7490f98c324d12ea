import { days } from "../../../../../migrations/interval.ts";
import { timescale } from "../../../../../migrations/timescale.ts";
import { options } from "../../loader.ts";

/** Every chunk of the source is older than that, so that a load may end with all of them in the columnstore. */
export const up = timescale((db, given) => {
  if (options.parse(given).columnstore) db.columnstorePolicy("price_history", { after: days(90) });
});

export const down = up.reverse;
