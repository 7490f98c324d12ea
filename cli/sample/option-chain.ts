import { seeded } from "./seeded.ts";
import type { Row } from "./write-sample.ts";

const expiration = "2025-09-19";

/** Sixty made-up contracts of one symbol around its last price; the same each time. Half of the bids are unknown. */
export function optionChain(symbol: string, kind: "call" | "put", price: number): Row[] {
  const next = seeded(kind === "call" ? 1 : 2);
  const letter = kind === "call" ? "C" : "P";
  return Array.from({ length: 60 }, (_, index) => {
    const strike = 5 * (index + 1);
    const inTheMoney = kind === "call" ? strike < price : strike > price;
    const worth = inTheMoney ? Math.abs(price - strike) : 0;
    const last = cents(worth + next() * 20);
    return {
      symbol,
      expiration_date: expiration,
      strike,
      last_price: last,
      bid: next() < 0.5 ? null : cents(last * 0.98),
      ask: cents(last * 1.02),
      volume: Math.floor(next() * 1000),
      open_interest: Math.floor(next() * 10_000),
      implied_volatility: 0.1 + next() * 1.9,
      in_the_money: inTheMoney ? 1 : 0,
      contract_symbol: `${symbol}250919${letter}${String(strike * 1000).padStart(8, "0")}`,
    };
  });
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
