import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.table("users", {
    id: "varchar not null",
    email: "varchar",
    password_hash: "varchar",
    created_at: "timestamptz not null",
    status: "varchar not null",
    link_code: "varchar",
  });
  db.table("telegram_chats", {
    id: "varchar not null",
    user_id: "varchar not null",
    chat_id: "varchar not null",
    first_name: "varchar",
    last_name: "varchar",
    username: "varchar",
    linked_at: "timestamptz not null",
  });
  db.table("user_settings", {
    user_id: "varchar not null",
    ff_threshold: "double precision not null",
    dte_pairs: "json",
    vol_point: "varchar not null",
    min_open_interest: "bigint not null",
    min_volume: "bigint not null",
    max_bid_ask_pct: "double precision not null",
    sigma_fwd_floor: "double precision not null",
    stability_scans: "bigint not null",
    cooldown_minutes: "bigint not null",
    quiet_hours: "json",
    preferred_structure: "varchar not null",
    timezone: "varchar not null",
    scan_priority: "varchar not null",
    discovery_mode: "boolean not null",
  });
  db.table("subscriptions", {
    user_id: "varchar not null",
    ticker: "varchar not null",
    active: "boolean not null",
    added_at: "timestamptz not null",
  });
  db.table("master_tickers", {
    ticker: "varchar not null",
    active_subscriber_count: "bigint not null",
    last_scan_at: "timestamptz",
    scan_tier: "varchar not null",
  });
  db.table("signal_user_decisions", {
    id: "varchar not null",
    signal_id: "varchar not null",
    signal_as_of_ts: "timestamptz not null",
    user_id: "varchar not null",
    decision: "varchar not null",
    decision_ts: "timestamptz not null",
    decision_metadata: "json",
    entry_price: "double precision",
    exit_price: "double precision",
    pnl: "double precision",
    notes: "varchar",
  });
});

export const down = up.reverse;
