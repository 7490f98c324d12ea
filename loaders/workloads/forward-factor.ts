import { z } from "zod";
import { defineLoader, drop, expression, lookup, none, type TableDefinition } from "../define-loader.ts";
import { eachSession } from "../freshness.ts";

/** `timelift:workloadOptions` of forward-factor. */
export const options = z.strictObject({
  /**
   * What comes along. `data` is option B of the migration plan: every row. `fresh` is option A: users with their settings,
   * subscriptions and tickers; signals, snapshots and decisions start empty.
   */
  start: z.enum(["data", "fresh"]).default("data"),
});

/** What grows with time; option A leaves it behind. */
const history: Record<string, TableDefinition> = {
  signals: { order: ["ticker", "as_of_ts"] },
  option_chain_snapshots: { order: ["ticker", "as_of_ts"] },
  signal_user_decisions: {
    derive: { signal_as_of_ts: lookup("signals", { id: "signal_id" }, "as_of_ts") },
  },
};

const startsEmpty = Object.fromEntries(Object.keys(history).map((table) => [table, { from: none }]));

export default ({ start }: z.infer<typeof options>) =>
  defineLoader({
    tables: {
      users: { columns: { telegram_chat_id: drop, telegram_username: drop }, absent: ["link_code"] },
      telegram_chats: {
        from: "users",
        where: "telegram_chat_id IS NOT NULL",
        rest: drop,
        columns: { telegram_chat_id: "chat_id", telegram_username: "username", created_at: "linked_at" },
        derive: {
          id: expression("id"),
          user_id: expression("id"),
          first_name: expression("coalesce(telegram_username, 'User')"),
        },
        absent: ["last_name"],
      },
      user_settings: {},
      subscriptions: {},
      master_tickers: {},
      ...(start === "data" ? history : startsEmpty),
      ohlcv_bars: { from: none },
    },
    queries: start === "data" ? queries : {},
    freshness: { signals: eachSession("XNYS"), option_chain_snapshots: eachSession("XNYS") },
  });

const queries = {
  "signals of one ticker, last week": {
    sqlite: `
      SELECT id, as_of_ts, ff_value
      FROM signals
      WHERE ticker = 'AAPL' AND as_of_ts >= (SELECT date(max(as_of_ts), '-7 days') FROM signals)
      ORDER BY as_of_ts DESC, id`,
    timescale: `
      SELECT id, as_of_ts, ff_value
      FROM signals
      WHERE ticker = 'AAPL'
        AND as_of_ts >= (SELECT date_trunc('day', max(as_of_ts), 'UTC') - interval '7 days' FROM signals)
      ORDER BY as_of_ts DESC, id COLLATE "C"`,
  },
  "signals by hour and ticker": {
    analytical: true,
    sqlite: `
      SELECT strftime('%Y-%m-%d %H:00:00', as_of_ts) AS bucket, ticker, count(*), avg(ff_value)
      FROM signals
      GROUP BY bucket, ticker
      ORDER BY bucket, ticker`,
    timescale: `
      SELECT bucket, ticker, signal_count, avg_ff
      FROM signals_hourly
      ORDER BY bucket, ticker COLLATE "C"`,
  },
  "latest signal of every ticker": {
    analytical: true,
    sqlite: `
      SELECT ticker, max(as_of_ts), ff_value
      FROM signals
      GROUP BY ticker
      ORDER BY ticker`,
    timescale: `
      SELECT ticker, max(as_of_ts), last(ff_value, as_of_ts)
      FROM signals
      GROUP BY ticker
      ORDER BY ticker COLLATE "C"`,
  },
  "decisions with their signals, by ticker": {
    analytical: true,
    sqlite: `
      SELECT s.ticker, d.decision, count(*), avg(s.ff_value)
      FROM signal_user_decisions AS d JOIN signals AS s ON s.id = d.signal_id
      GROUP BY s.ticker, d.decision
      ORDER BY s.ticker, d.decision`,
    timescale: `
      SELECT s.ticker, d.decision, count(*), avg(s.ff_value)
      FROM signal_user_decisions AS d
        JOIN signals AS s ON s.id = d.signal_id AND s.as_of_ts = d.signal_as_of_ts
      GROUP BY s.ticker, d.decision
      ORDER BY s.ticker COLLATE "C", d.decision COLLATE "C"`,
  },
};
