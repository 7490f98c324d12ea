/** The tables and indexes of the forward-factor application, as it creates them itself. */
export const schema = `
CREATE TABLE users (
  id VARCHAR NOT NULL,
  telegram_chat_id VARCHAR,
  email VARCHAR,
  password_hash VARCHAR,
  telegram_username VARCHAR,
  created_at DATETIME NOT NULL,
  status VARCHAR NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE master_tickers (
  ticker VARCHAR NOT NULL,
  active_subscriber_count INTEGER NOT NULL,
  last_scan_at DATETIME,
  scan_tier VARCHAR NOT NULL,
  PRIMARY KEY (ticker)
);
CREATE TABLE signals (
  id VARCHAR NOT NULL,
  ticker VARCHAR NOT NULL,
  as_of_ts DATETIME NOT NULL,
  front_expiry DATE NOT NULL,
  back_expiry DATE NOT NULL,
  front_dte INTEGER NOT NULL,
  back_dte INTEGER NOT NULL,
  front_iv FLOAT NOT NULL,
  back_iv FLOAT NOT NULL,
  sigma_fwd FLOAT NOT NULL,
  ff_value FLOAT NOT NULL,
  vol_point VARCHAR NOT NULL,
  quality_score FLOAT,
  reason_codes JSON,
  dedupe_key VARCHAR NOT NULL,
  is_discovery BOOLEAN NOT NULL,
  underlying_price FLOAT,
  provider VARCHAR,
  PRIMARY KEY (id)
);
CREATE TABLE option_chain_snapshots (
  id VARCHAR NOT NULL,
  ticker VARCHAR NOT NULL,
  as_of_ts DATETIME NOT NULL,
  provider VARCHAR NOT NULL,
  underlying_price FLOAT,
  raw_payload JSON,
  quality_score FLOAT,
  PRIMARY KEY (id)
);
CREATE TABLE user_settings (
  user_id VARCHAR NOT NULL,
  ff_threshold FLOAT NOT NULL,
  dte_pairs JSON,
  vol_point VARCHAR NOT NULL,
  min_open_interest INTEGER NOT NULL,
  min_volume INTEGER NOT NULL,
  max_bid_ask_pct FLOAT NOT NULL,
  sigma_fwd_floor FLOAT NOT NULL,
  stability_scans INTEGER NOT NULL,
  cooldown_minutes INTEGER NOT NULL,
  quiet_hours JSON,
  preferred_structure VARCHAR NOT NULL,
  timezone VARCHAR NOT NULL,
  scan_priority VARCHAR NOT NULL,
  discovery_mode BOOLEAN NOT NULL,
  PRIMARY KEY (user_id),
  FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE subscriptions (
  user_id VARCHAR NOT NULL,
  ticker VARCHAR NOT NULL,
  active BOOLEAN NOT NULL,
  added_at DATETIME NOT NULL,
  PRIMARY KEY (user_id, ticker),
  CONSTRAINT uq_user_ticker UNIQUE (user_id, ticker),
  FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE signal_user_decisions (
  id VARCHAR NOT NULL,
  signal_id VARCHAR NOT NULL,
  user_id VARCHAR NOT NULL,
  decision VARCHAR NOT NULL,
  decision_ts DATETIME NOT NULL,
  decision_metadata JSON,
  entry_price FLOAT,
  exit_price FLOAT,
  pnl FLOAT,
  notes VARCHAR,
  PRIMARY KEY (id),
  FOREIGN KEY(signal_id) REFERENCES signals (id) ON DELETE CASCADE,
  FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_users_telegram_username ON users (telegram_username);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE UNIQUE INDEX ix_users_telegram_chat_id ON users (telegram_chat_id);
CREATE INDEX ix_master_tickers_ticker ON master_tickers (ticker);
CREATE UNIQUE INDEX ix_signals_dedupe_key ON signals (dedupe_key);
CREATE INDEX ix_signals_ticker ON signals (ticker);
CREATE INDEX ix_signals_as_of_ts ON signals (as_of_ts);
CREATE INDEX ix_signals_ff_value ON signals (ff_value);
CREATE INDEX ix_option_chain_snapshots_ticker ON option_chain_snapshots (ticker);
CREATE INDEX ix_subscriptions_ticker ON subscriptions (ticker);
CREATE INDEX ix_signal_user_decisions_user_id ON signal_user_decisions (user_id);
CREATE INDEX ix_signal_user_decisions_signal_id ON signal_user_decisions (signal_id);
`;
