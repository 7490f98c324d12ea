import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.guard("options_calls", { unique: ["id"], time: "expiration_date" });
  db.guard("options_puts", { unique: ["id"], time: "expiration_date" });
});

export const down = up.reverse;
