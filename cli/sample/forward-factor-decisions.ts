import { moment, timestamp, uuid } from "./forward-factor-values.ts";
import { pythonJson } from "./python-json.ts";
import { seeded } from "./seeded.ts";
import type { Row } from "./write-sample.ts";

const notes = ["Zürich – trop cher?", "filled at mid 🚀", 'said "wait"\nthen went in', "", "it's small"];

/** 800 decisions, each on a signal: every tenth signal was decided on, and a third of those by two people. */
export function decisions(found: Row[], people: Row[]): Row[] {
  const next = seeded(5);
  return found
    .flatMap((signal, index) => {
      if (index % 10 !== 7) return [];
      const first = Math.floor(next() * people.length);
      const second = (first + 1 + Math.floor(next() * (people.length - 1))) % people.length;
      return (index % 30 === 7 ? [first, second] : [first]).map((who) => ({
        signal,
        user: people[who] as Row,
      }));
    })
    .map(({ signal, user }, index) => {
      const at = moment((signal.as_of_ts as string).slice(0, 16));
      const placed = next() < 0.6;
      const entry_price = placed ? 0.5 + next() * 4 : null;
      const exit_price = entry_price !== null && next() < 0.5 ? entry_price * (0.6 + next()) : null;
      return {
        id: uuid("decision", index),
        signal_id: signal.id as string,
        user_id: user.id as string,
        decision: placed ? "placed" : "ignored",
        decision_ts: timestamp(at + Math.floor((2 + next() * 120) * 60) * 1000, Math.floor(next() * 1e6)),
        decision_metadata: metadata(index),
        entry_price,
        exit_price,
        pnl: entry_price === null || exit_price === null ? null : (exit_price - entry_price) * 100,
        notes: index % 9 === 0 ? (notes[(index / 9) % notes.length] as string) : null,
      };
    });
}

function metadata(index: number): string | null {
  if (index % 50 === 49) return null;
  const reply: Record<string, string> = index % 20 === 3 ? { reply: 'd\'accord 👍 "ok" \\o/' } : {};
  return pythonJson({ source: index % 4 === 0 ? "web" : "telegram", message_id: 10_000 + index, ...reply });
}
