import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.guard("signals", { unique: ["id"], time: "as_of_ts" });
  db.guard("signals", { unique: ["dedupe_key"], time: "as_of_ts" });
  db.guard("option_chain_snapshots", { unique: ["id"], time: "as_of_ts" });
  db.hypertableReference("signal_user_decisions", {
    columns: ["signal_id", "signal_as_of_ts"],
    to: "signals",
    toColumns: ["id", "as_of_ts"],
    onDelete: "cascade",
    fillTime: true,
  });
});

export const down = up.reverse;
