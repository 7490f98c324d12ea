import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.keys("signals", {
    primary: ["id", "as_of_ts"],
    unique: [{ columns: ["dedupe_key", "as_of_ts"] }],
  });
  db.index("signals", ["as_of_ts"]);
  db.index("signals", ["ticker"]);
  db.index("signals", ["ff_value"]);
  db.index("signals", ["dedupe_key"]);
  db.index("signals", ["ticker", "as_of_ts desc"], { name: "idx_signals_ticker_time" });

  db.keys("option_chain_snapshots", { primary: ["id", "as_of_ts"] });
  db.index("option_chain_snapshots", ["ticker"]);
  db.index("option_chain_snapshots", ["ticker", "as_of_ts desc"], {
    name: "idx_option_chain_snapshots_ticker_time",
  });

  db.keys("ohlcv_bars", {
    primary: ["id", "timestamp"],
    unique: [{ columns: ["ticker", "timeframe", "timestamp"] }],
  });
});

export const down = up.reverse;
