import { timescale } from "../../../../../migrations/timescale.ts";

export const up = timescale((db) => {
  db.guard("readings", { unique: ["message_id"], time: "taken" });
  db.hypertableReference("alarms", {
    columns: ["message_id", "taken"],
    to: "readings",
    toColumns: ["message_id", "taken"],
    onDelete: "cascade",
    fillTime: true,
  });
});

export const down = up.reverse;
