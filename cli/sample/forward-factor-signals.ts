import { tickers } from "./forward-factor-users.ts";
import { day, dayMs, minuteMs, sha256, timestamp, uuid } from "./forward-factor-values.ts";
import { pythonJson } from "./python-json.ts";
import { seeded } from "./seeded.ts";
import type { Row } from "./write-sample.ts";

/** Monday of the first of three weeks. */
const firstDay = Date.parse("2025-11-03");
/** The exchange's opening, in minutes of a UTC day, and the scans from there to past its close. */
const opening = 14 * 60 + 30;
const scansADay = 399;
const reasons = ['["low_oi"]', '["wide_spread", "stale_quote"]', "null", null];

/**
 * 6,000 signals over fifteen trading days, one a minute while the exchange is open, and one a day at midnight sharp.
 * In each, the forward volatility follows from the two implied ones:
 * sigma_fwd² = (T2·iv2² − T1·iv1²) / (T2 − T1), ff_value = (iv1 − sigma_fwd) / sigma_fwd.
 * Its dedupe_key is the SHA-256 of ticker, both expiries, vol_point and the scan's minute, with | between them.
 */
export function signals(): Row[] {
  const next = seeded(3);
  const market = new Map(
    tickers.map((ticker, index) => [ticker, { price: 120 + 95 * index, level: 0.18 + 0.05 * index }]),
  );
  return scans().map(({ ms, sharp }, index) => {
    const ticker = tickers[Math.floor(next() * tickers.length)] as string;
    const state = market.get(ticker) as { price: number; level: number };
    state.price *= 1 + (next() - 0.5) * 0.004;
    state.level *= 1 + (next() - 0.5) * 0.01;
    const front = expiry(ms + 30 * dayMs);
    const back = expiry(ms + 60 * dayMs);
    const dte = { front: daysBetween(ms, front), back: daysBetween(ms, back) };
    const back_iv = state.level * (0.95 + 0.1 * next());
    const lift = next();
    // Now and then both volatilities are one, and so is the forward's: a factor of about nothing.
    const front_iv = index % 500 === 499 ? back_iv : back_iv * (0.94 + 0.3 * lift * lift);
    const sigma_fwd = forwardVolatility({ dte: dte.front, iv: front_iv }, { dte: dte.back, iv: back_iv });
    const key = [ticker, day(front), day(back), "ATM", timestamp(ms, 0).slice(0, 16)].join("|");
    return {
      id: uuid("signal", index),
      ticker,
      as_of_ts: timestamp(ms, sharp ? 0 : Math.floor(next() * 1e6)),
      front_expiry: day(front),
      back_expiry: day(back),
      front_dte: dte.front,
      back_dte: dte.back,
      front_iv,
      back_iv,
      sigma_fwd,
      ff_value: (front_iv - sigma_fwd) / sigma_fwd,
      vol_point: "ATM",
      quality_score: next() < 0.2 ? null : next(),
      reason_codes: next() < 0.8 ? "[]" : (reasons[Math.floor(next() * reasons.length)] ?? null),
      dedupe_key: sha256(key),
      is_discovery: sharp || next() < 0.1 ? 1 : 0,
      underlying_price: index % 97 === 96 ? null : state.price,
      provider: index % 89 === 88 ? null : "polygon",
    };
  });
}

/** The volatility that two options' implied ones leave to the time between their expiries. */
function forwardVolatility(front: { dte: number; iv: number }, back: { dte: number; iv: number }): number {
  const variance = (back.dte * back.iv * back.iv - front.dte * front.iv * front.iv) / (back.dte - front.dte);
  return Math.sqrt(variance);
}

/** What each third signal was computed from. */
export function snapshots(found: Row[]): Row[] {
  return found
    .filter((_, index) => index % 3 === 0)
    .map((signal, index) => ({
      id: uuid("snapshot", index),
      ticker: signal.ticker as string,
      as_of_ts: signal.as_of_ts as string,
      provider: signal.provider ?? "polygon",
      underlying_price: signal.underlying_price as number | null,
      raw_payload: index % 250 === 249 ? null : payload(signal, index),
      quality_score: index % 4 === 0 ? null : (signal.quality_score as number | null),
    }));
}

function payload(signal: Row, index: number): string {
  const expiries = (["front", "back"] as const).map((side) => ({
    expiry: signal[`${side}_expiry`] as string,
    dte: signal[`${side}_dte`] as number,
    iv: signal[`${side}_iv`] as number,
    open_interest: 100 + ((index * 37) % 5000),
    call: null,
  }));
  const note: Record<string, string> =
    index % 10 === 0 ? { note: 'delayed 15′ – "indicative" \\ café 📈\n\tsee provider' } : {};
  return pythonJson({ ticker: signal.ticker as string, expiries, delayed: index % 10 === 0, ...note });
}

/** The moments of the scans: milliseconds, and whether it is that one to the microsecond. */
function scans(): { ms: number; sharp: boolean }[] {
  return Array.from({ length: 21 }, (_, index) => firstDay + index * dayMs)
    .filter((midnight) => ![0, 6].includes(new Date(midnight).getUTCDay()))
    .flatMap((midnight) => [
      { ms: midnight, sharp: true },
      ...Array.from({ length: scansADay }, (_, scan) => ({
        ms: midnight + (opening + scan) * minuteMs,
        sharp: false,
      })),
    ]);
}

/** The Friday nearest to a moment. */
function expiry(ms: number): number {
  const midnight = Math.floor(ms / dayMs) * dayMs;
  const ahead = (5 - new Date(midnight).getUTCDay() + 7) % 7;
  return midnight + (ahead > 3 ? ahead - 7 : ahead) * dayMs;
}

function daysBetween(ms: number, later: number): number {
  return (later - Math.floor(ms / dayMs) * dayMs) / dayMs;
}
