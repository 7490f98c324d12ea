import { decisions } from "./forward-factor-decisions.ts";
import { signals, snapshots } from "./forward-factor-signals.ts";
import { settings, subscriptions, users } from "./forward-factor-users.ts";
import type { Row } from "./write-sample.ts";

/**
 * Every row of the sample, table by table, parents first. All of it is made up, the same each time: three weeks of
 * scans, and what people decided on what the scans found.
 */
export function sampleRows(): Record<string, Row[]> {
  const people = users();
  const subscribed = subscriptions(people);
  const found = signals();
  return {
    users: people,
    master_tickers: masterTickers(subscribed, found),
    signals: found,
    option_chain_snapshots: snapshots(found),
    user_settings: settings(people),
    subscriptions: subscribed,
    signal_user_decisions: decisions(found, people),
  };
}

/** A row for each ticker that anyone subscribed to; the last one was never scanned, for its only subscriber left. */
function masterTickers(subscribed: Row[], found: Row[]): Row[] {
  return [...new Set(subscribed.map(({ ticker }) => ticker as string))].map((ticker) => {
    const count = subscribed.filter((row) => row.ticker === ticker && row.active === 1).length;
    return {
      ticker,
      active_subscriber_count: count,
      last_scan_at: found.findLast((row) => row.ticker === ticker)?.as_of_ts ?? null,
      scan_tier: count > 4 ? "high" : count > 0 ? "standard" : "low",
    };
  });
}
