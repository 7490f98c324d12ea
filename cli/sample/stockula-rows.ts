import { readFileSync } from "node:fs";
import { optionChain } from "./option-chain.ts";
import { asciiOnly } from "./python-json.ts";
import type { Row } from "./write-sample.ts";

const writtenAt = "2025-08-11 17:08:59";
const stamps = { created_at: writtenAt, updated_at: writtenAt };
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * Every row of the sample, table by table, parents first. Prices are the real ones of the vega-datasets
 * package: the S&P 500 by day, five symbols by month (one price a month, so no open, high, low or volume).
 * The option chain and the models are made up, the same each time.
 */
export function sampleRows(): Record<string, Row[]> {
  const daily = readCsv("sp500-2000.csv").map(dailyPrice);
  const monthly = readCsv("stocks.csv").map(monthlyPrice);
  const apple = monthly.findLast((row) => row.symbol === "AAPL")?.close_price as number;
  return {
    stocks: stocks.map(stock),
    price_history: numbered([...daily, ...monthly]),
    dividends: numbered(dividends.map(([date, amount]) => ({ symbol: "MSFT", date, amount, ...stamps }))),
    splits: numbered(splits.map(([symbol, date]) => ({ symbol, date, ratio: 2, ...stamps }))),
    options_calls: numbered(optionChain("AAPL", "call", apple).map((row) => ({ ...row, ...stamps }))),
    options_puts: numbered(optionChain("AAPL", "put", apple).map((row) => ({ ...row, ...stamps }))),
    stock_info: stocks.map(([symbol, name]) => ({ symbol, info_json: info(symbol, name), ...stamps })),
    strategies: numbered(strategies.map((row) => ({ ...row, ...stamps }))),
    strategy_presets: numbered(presets.map((row) => ({ ...row, ...stamps }))),
    autots_models: numbered(models.map((row) => ({ ...row, ...stamps }))),
    autots_presets: numbered(modelPresets.map((row) => ({ ...row, ...stamps }))),
  };
}

const stocks = [
  ["^GSPC", "S&P 500", null, "SNP"],
  ["MSFT", "Microsoft", "Technology", "NMS"],
  ["AMZN", "Amazon", "Consumer Cyclical", "NMS"],
  ["IBM", "IBM", "Technology", "NYQ"],
  ["GOOG", "Alphabet", "Communication Services", "NMS"],
  ["AAPL", "Apple", "Technology", "NMS"],
] as const;

const dividends = [
  ["2003-02-19", 0.08],
  ["2003-10-15", 0.16],
  ["2004-08-23", 0.08],
  ["2004-11-15", 3],
  ["2005-02-15", 0.08],
  ["2005-05-16", 0.08],
] as const;

const splits = [
  ["AAPL", "2000-06-21"],
  ["AAPL", "2005-02-28"],
  ["MSFT", "2003-02-18"],
] as const;

const strategies: Row[] = [
  strategy("sma_cross", "SMACrossStrategy", "trend", 1),
  strategy("rsi", "RSIStrategy", "momentum", 1),
  strategy("buy_and_hold", "BuyAndHoldStrategy", null, 0),
];

const presets: Row[] = [
  preset(1, "default", { fast: 10, slow: 20 }, 1),
  preset(1, "long", { fast: 50, slow: 200, stop: 0.05 }, 0),
  preset(2, "default", { period: 14, bands: [30, 70] }, 1),
];

const models: Row[] = [
  model("ARIMA", ["statistical", "slow"], 1, 30),
  model("ETS", ["statistical"], 0, 10),
  model("LastValueNaive", ["naive"], 0, 1),
];

const modelPresets: Row[] = [
  {
    name: "fast",
    models: JSON.stringify(["ETS", "LastValueNaive"]),
    description: null,
    use_case: "a first look",
  },
];

function stock([symbol, name, sector, exchange]: (typeof stocks)[number]): Row {
  return { symbol, name, sector, industry: null, market_cap: null, exchange, currency: "USD", ...stamps };
}

function info(symbol: string, longName: string): string {
  const text = JSON.stringify({
    symbol,
    longName,
    trailingPE: null,
    employees: symbol.length * 1e3,
    note: 'café ☃ line\nbreak\ttab "quote" back\\slash',
  });
  return asciiOnly(text);
}

function strategy(name: string, className: string, category: string | null, active: number): Row {
  const module_path = "stockula.backtesting.strategies";
  return { name, class_name: className, module_path, description: null, category, is_active: active };
}

function preset(strategy_id: number, name: string, parameters: object, isDefault: number): Row {
  const parameters_json = JSON.stringify(parameters);
  return { strategy_id, name, parameters_json, description: null, is_default: isDefault };
}

function model(name: string, categories: string[], slow: number, min_data_points: number): Row {
  const flags = { is_slow: slow, is_gpu_enabled: 0, requires_regressor: 0 };
  return { name, categories: JSON.stringify(categories), ...flags, min_data_points, description: null };
}

function numbered(rows: Row[]): Row[] {
  return rows.map((row, index) => ({ id: index + 1, ...row }));
}

function dailyPrice([date, open, high, low, close, , volume]: string[]): Row {
  const prices = { open_price: Number(open), high_price: Number(high), low_price: Number(low) };
  return price("^GSPC", date ?? "", "1d", { ...prices, close_price: Number(close), volume: Number(volume) });
}

function monthlyPrice([symbol, day, close]: string[]): Row {
  const [month, , year] = (day ?? "").split(" ");
  const date = `${year}-${String(months.indexOf(month ?? "") + 1).padStart(2, "0")}-01`;
  const unknown = { open_price: null, high_price: null, low_price: null };
  return price(symbol ?? "", date, "1mo", { ...unknown, close_price: Number(close), volume: null });
}

function price(symbol: string, date: string, interval: string, values: Row): Row {
  return { symbol, date, ...values, interval, ...stamps };
}

/** Lines of one of the package's CSV files, without the header; none of its values is quoted. */
function readCsv(name: string): string[][] {
  const file = new URL(`../data/${name}`, import.meta.resolve("vega-datasets"));
  const lines = readFileSync(file, "utf8").trim().split(/\r?\n/);
  return lines.slice(1).map((line) => line.split(","));
}
