import { days } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.table("signals", {
    id: "varchar not null",
    ticker: "varchar not null",
    as_of_ts: "timestamptz not null",
    front_expiry: "date not null",
    back_expiry: "date not null",
    front_dte: "bigint not null",
    back_dte: "bigint not null",
    front_iv: "double precision not null",
    back_iv: "double precision not null",
    sigma_fwd: "double precision not null",
    ff_value: "double precision not null",
    vol_point: "varchar not null",
    quality_score: "double precision",
    reason_codes: "json",
    dedupe_key: "varchar not null",
    is_discovery: "boolean not null",
    underlying_price: "double precision",
    provider: "varchar",
  });
  db.hypertable("signals", { time: "as_of_ts", chunk: days(1) });

  db.table("option_chain_snapshots", {
    id: "varchar not null",
    ticker: "varchar not null",
    as_of_ts: "timestamptz not null",
    provider: "varchar not null",
    underlying_price: "double precision",
    raw_payload: "json",
    quality_score: "double precision",
  });
  db.hypertable("option_chain_snapshots", { time: "as_of_ts", chunk: days(1) });

  db.table("ohlcv_bars", {
    id: "text not null",
    ticker: "varchar not null",
    timestamp: "timestamptz not null",
    open: "double precision",
    high: "double precision",
    low: "double precision",
    close: "double precision",
    volume: "bigint",
    timeframe: "varchar not null check (timeframe in ('1min', '1hour', '1day'))",
  });
  db.hypertable("ohlcv_bars", { time: "timestamp", chunk: days(7) });
});

export const down = up.reverse;
