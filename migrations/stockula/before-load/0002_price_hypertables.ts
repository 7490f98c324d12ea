import { options } from "../../../loaders/workloads/stockula.ts";
import { months, years } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

export const up = timescale((db, given) => {
  const { priceType: price } = options.parse(given);
  const written = {
    created_at: "timestamptz default current_timestamp",
    updated_at: "timestamptz default current_timestamp",
  };

  db.table("price_history", {
    time: "timestamptz not null",
    symbol: "varchar not null",
    open: price,
    high: price,
    low: price,
    close: price,
    adjusted_close: price,
    volume: "bigint",
    interval: "varchar not null default '1d'",
    ...written,
  });
  db.hypertable("price_history", { time: "time", chunk: months(1) });

  db.table("dividends", {
    time: "timestamptz not null",
    symbol: "varchar not null",
    amount: "double precision not null",
    ...written,
  });
  db.hypertable("dividends", { time: "time", chunk: years(1) });

  db.table("splits", {
    time: "timestamptz not null",
    symbol: "varchar not null",
    ratio: "double precision not null",
    ...written,
  });
  db.hypertable("splits", { time: "time", chunk: years(1) });
});

export const down = up.reverse;
