import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.columnstore("price_history", { segmentBy: ["symbol"], orderBy: ["time desc"] });
});

export const down = up.reverse;
