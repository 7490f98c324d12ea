import { timescale } from "../../timescale.ts";

const user = { table: "users", onDelete: "cascade" } as const;

export const up = timescale((db) => {
  db.keys("users", { primary: ["id"], unique: [{ columns: ["email"] }, { columns: ["link_code"] }] });
  db.keys("telegram_chats", {
    primary: ["id"],
    unique: [{ columns: ["chat_id"] }],
    references: { user_id: user },
  });
  db.index("telegram_chats", ["user_id"]);
  db.keys("user_settings", { primary: ["user_id"], references: { user_id: user } });
  db.keys("subscriptions", { primary: ["user_id", "ticker"], references: { user_id: user } });
  db.index("subscriptions", ["ticker"]);
  db.keys("master_tickers", { primary: ["ticker"] });
  db.keys("signal_user_decisions", { primary: ["id"], references: { user_id: user } });
  db.index("signal_user_decisions", ["user_id"]);
  db.index("signal_user_decisions", ["signal_id"]);
  db.index("signal_user_decisions", ["decision_ts"]);
});

export const down = up.reverse;
