import { moment, timestamp, uuid } from "./forward-factor-values.ts";
import { pythonJson } from "./python-json.ts";
import type { Row } from "./write-sample.ts";

/** What the application scans. */
export const tickers = ["SPY", "QQQ", "AAPL", "NVDA", "TSLA", "META", "AMZN", "MSFT"];

const hash = "$2b$12$eImiTXuWVxfM37uY4JANjQ.9s5mCkS3Zr1xkz0P1nq0Gm4yJc7d2K";

/** Name or nothing of the chat, e-mail or nothing, status: what a person signed up with. */
const people = [
  { chat: "ada_l", email: "ada@example.com", created: "2024-02-29 23:59:59", micros: 999_999 },
  { chat: "grace_h", email: null, created: "2025-01-01 00:00:00", micros: 0 },
  { chat: "", email: null, created: "2025-03-09 07:30:00", micros: 1 },
  { chat: null, email: "zoë@exämple.com", created: "2025-04-11 18:02:41", micros: 482_103 },
  { chat: "edsger_d", email: "edsger@example.com", created: "2025-06-30 09:15:00", micros: 500_000 },
  { chat: null, email: "barbara@example.com", created: "2025-07-04 16:45:12", micros: 70 },
  { chat: "donald_k", email: null, created: "2025-08-08 08:08:08", micros: 80_808 },
  { chat: "", email: "o'neil@example.com", created: "2025-09-01 12:00:00", micros: 0 },
  { chat: "leslie_l", email: null, created: "2025-10-26 01:30:00", micros: 250_000 },
  { chat: null, email: "radia@example.com", created: "2025-10-31 21:59:59", micros: 3 },
  { chat: "tony_h", email: null, created: "2025-11-02 06:30:00", micros: 123_456 },
  { chat: null, email: null, created: "2025-11-02 14:30:00", micros: 0 },
] as const;

/** Twelve people: four without Telegram, two whose chat has no name, one who cannot be reached at all. */
export function users(): Row[] {
  return people.map(({ chat, email, created, micros }, index) => ({
    id: uuid("user", index),
    telegram_chat_id: chat === null ? null : String(1_000_000_000 + 7919 * index),
    email,
    password_hash: email === null ? null : hash,
    telegram_username: chat || null,
    created_at: timestamp(moment(created), micros),
    status: chat === null && email === null ? "inactive" : "active",
  }));
}

/** Three tickers each; some no longer wanted, and one that nobody but its former subscriber ever wanted. */
export function subscriptions(rows: Row[]): Row[] {
  const chosen = rows.flatMap((user, index) =>
    [0, 1, 3].map((step) => {
      const ticker = tickers[(index + step) % tickers.length] as string;
      return {
        user_id: user.id,
        ticker,
        active: (index + step) % 5 === 4 ? 0 : 1,
        added_at: user.created_at,
      };
    }),
  );
  const last = rows.at(-1);
  return [...chosen, { user_id: last?.id, ticker: "BRK.B", active: 0, added_at: last?.created_at }] as Row[];
}

const zones = ["America/Vancouver", "Europe/Zurich", "Asia/Kolkata", "UTC"];

/** What each person asks of a signal. */
export function settings(rows: Row[]): Row[] {
  return rows.map((user, index) => ({
    user_id: user.id as string,
    ff_threshold: [0.2, 0.15, 0.1 + 0.2][index % 3] as number,
    dte_pairs: dtePairs(index),
    vol_point: index % 4 === 3 ? "35d_put" : "ATM",
    min_open_interest: 100 * (1 + (index % 3)),
    min_volume: 10,
    max_bid_ask_pct: 0.08,
    sigma_fwd_floor: 0.05,
    stability_scans: 2,
    cooldown_minutes: 120,
    quiet_hours: quietHours(index),
    preferred_structure: "ATM_calendar_call",
    timezone: zones[index % zones.length] as string,
    scan_priority: index === 0 ? "high" : "standard",
    discovery_mode: index % 2,
  }));
}

function dtePairs(index: number): string | null {
  // SQLAlchemy stores a None that was set as JSON's null, one that was left out as SQL's.
  if (index === 9) return "null";
  if (index === 10) return null;
  const near = { front: 30, back: 60, front_tol: 5, back_tol: 10 };
  const far = { front: 60, back: 90, front_tol: 10, back_tol: 10 };
  return pythonJson(index % 3 === 1 ? [near, far] : [near]);
}

function quietHours(index: number): string | null {
  return index === 11 ? null : pythonJson({ enabled: index % 2 === 1, start: "22:00", end: "07:00" });
}
