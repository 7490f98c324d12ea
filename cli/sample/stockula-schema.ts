/** The tables and indexes of the stockula application, as it creates them itself. */
export const schema = `
CREATE TABLE stocks (
  symbol VARCHAR NOT NULL,
  name VARCHAR,
  sector VARCHAR,
  industry VARCHAR,
  market_cap FLOAT,
  exchange VARCHAR,
  currency VARCHAR,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (symbol)
);
CREATE TABLE strategies (
  id INTEGER NOT NULL,
  name VARCHAR NOT NULL,
  class_name VARCHAR NOT NULL,
  module_path VARCHAR NOT NULL,
  description VARCHAR,
  category VARCHAR,
  is_active BOOLEAN NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE autots_models (
  id INTEGER NOT NULL,
  name VARCHAR NOT NULL,
  categories VARCHAR NOT NULL,
  is_slow BOOLEAN NOT NULL,
  is_gpu_enabled BOOLEAN NOT NULL,
  requires_regressor BOOLEAN NOT NULL,
  min_data_points INTEGER NOT NULL,
  description VARCHAR,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE autots_presets (
  id INTEGER NOT NULL,
  name VARCHAR NOT NULL,
  models VARCHAR NOT NULL,
  description VARCHAR,
  use_case VARCHAR,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE price_history (
  id INTEGER NOT NULL,
  symbol VARCHAR NOT NULL,
  date DATE NOT NULL,
  open_price FLOAT,
  high_price FLOAT,
  low_price FLOAT,
  close_price FLOAT,
  volume INTEGER,
  interval VARCHAR NOT NULL,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  CONSTRAINT uq_price_history UNIQUE (symbol, date, interval),
  FOREIGN KEY(symbol) REFERENCES stocks (symbol)
);
CREATE TABLE dividends (
  id INTEGER NOT NULL,
  symbol VARCHAR NOT NULL,
  date DATE NOT NULL,
  amount FLOAT NOT NULL,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  CONSTRAINT uq_dividends UNIQUE (symbol, date),
  FOREIGN KEY(symbol) REFERENCES stocks (symbol)
);
CREATE TABLE splits (
  id INTEGER NOT NULL,
  symbol VARCHAR NOT NULL,
  date DATE NOT NULL,
  ratio FLOAT NOT NULL,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  CONSTRAINT uq_splits UNIQUE (symbol, date),
  FOREIGN KEY(symbol) REFERENCES stocks (symbol)
);
${optionTable("options_calls")}
${optionTable("options_puts")}
CREATE TABLE stock_info (
  symbol VARCHAR NOT NULL,
  info_json TEXT NOT NULL,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (symbol),
  FOREIGN KEY(symbol) REFERENCES stocks (symbol)
);
CREATE TABLE strategy_presets (
  id INTEGER NOT NULL,
  strategy_id INTEGER NOT NULL,
  name VARCHAR NOT NULL,
  parameters_json VARCHAR NOT NULL,
  description VARCHAR,
  is_default BOOLEAN NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT unique_strategy_preset UNIQUE (strategy_id, name),
  FOREIGN KEY(strategy_id) REFERENCES strategies (id)
);
CREATE UNIQUE INDEX ix_strategies_name ON strategies (name);
CREATE UNIQUE INDEX ix_autots_models_name ON autots_models (name);
CREATE UNIQUE INDEX ix_autots_presets_name ON autots_presets (name);
CREATE INDEX idx_price_history_symbol_date ON price_history (symbol, date);
CREATE INDEX idx_dividends_symbol_date ON dividends (symbol, date);
CREATE INDEX idx_splits_symbol_date ON splits (symbol, date);
CREATE INDEX idx_options_calls_symbol_exp ON options_calls (symbol, expiration_date);
CREATE INDEX idx_options_puts_symbol_exp ON options_puts (symbol, expiration_date);
CREATE INDEX ix_strategy_presets_strategy_id ON strategy_presets (strategy_id);
CREATE INDEX ix_strategy_presets_name ON strategy_presets (name);
`;

function optionTable(name: string): string {
  return `CREATE TABLE ${name} (
  id INTEGER NOT NULL,
  symbol VARCHAR NOT NULL,
  expiration_date DATE NOT NULL,
  strike FLOAT NOT NULL,
  last_price FLOAT,
  bid FLOAT,
  ask FLOAT,
  volume INTEGER,
  open_interest INTEGER,
  implied_volatility FLOAT,
  in_the_money BOOLEAN,
  contract_symbol VARCHAR,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  CONSTRAINT uq_${name} UNIQUE (symbol, expiration_date, strike, contract_symbol),
  FOREIGN KEY(symbol) REFERENCES stocks (symbol)
);`;
}
