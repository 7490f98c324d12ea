import { months, years } from "../../../../../migrations/interval.ts";
import { timescale } from "../../../../../migrations/timescale.ts";
import { options } from "../../loader.ts";

export const up = timescale((db, given) => {
  const { chunk, columnstore } = options.parse(given);
  db.table("price_history", {
    time: "timestamptz not null",
    symbol: "varchar not null",
    open: "double precision",
    high: "double precision",
    low: "double precision",
    close: "double precision",
    volume: "bigint",
    interval: "varchar not null",
    created_at: "timestamptz",
    updated_at: "timestamptz",
  });
  db.hypertable("price_history", { time: "time", chunk: chunk === "year" ? years(1) : months(1) });
  if (columnstore) db.columnstore("price_history", { segmentBy: ["symbol"], orderBy: ["time desc"] });
});

export const down = up.reverse;
