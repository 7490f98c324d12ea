import { days, years } from "../../../../../migrations/interval.ts";
import { timescale } from "../../../../../migrations/timescale.ts";

/** Retention is off until timelift:hypertables.readings.retention turns it on. */
export const up = timescale((db) => {
  db.columnstorePolicy("readings", { after: days(7) });
  db.retention("readings", { after: years(2), enabled: false });
});

export const down = up.reverse;
