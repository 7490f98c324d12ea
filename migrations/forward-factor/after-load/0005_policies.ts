import { days } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

/** Retention is off until the user turns it on: timelift:hypertables.signals.retention. */
export const up = timescale((db) => {
  db.columnstorePolicy("signals", { after: days(7) });
  db.columnstorePolicy("option_chain_snapshots", { after: days(14) });
  db.retention("signals", { after: days(90), enabled: false });
});

export const down = up.reverse;
