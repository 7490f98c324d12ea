import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.columnstore("signals", { segmentBy: ["ticker"], orderBy: ["as_of_ts desc"] });
  db.columnstore("option_chain_snapshots", { segmentBy: ["ticker"], orderBy: ["as_of_ts desc"] });
});

export const down = up.reverse;
