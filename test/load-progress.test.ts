import { beforeEach, describe, expect, test } from "vitest";
import { PlainLines } from "../cli/load/plain-lines.ts";
import { duration, outcomeText, percent, progressText } from "../cli/load/progress-text.ts";
import { RunProgress } from "../cli/load/run-progress.ts";
import type { LoadEvent } from "../loaders/load-event.ts";

let now: number;
let progress: RunProgress;
beforeEach(() => {
  now = 0;
  progress = new RunProgress(() => now);
});

const plan = (rows: number, table = "ticks"): LoadEvent => ({ kind: "table", table, action: "load", rows });
const sent = (rows: number, bytes: number, table = "ticks"): LoadEvent => ({
  kind: "progress",
  ...{ table, rows, bytes },
});
const take = (...events: LoadEvent[]) => {
  for (const event of events) progress.take(event);
};

describe("what is known of a load that runs", () => {
  test("rates are those of the last seconds, and the time left follows from them", () => {
    take(plan(100_000));
    for (let second = 1; second <= 20; second++) {
      now = second * 1000;
      // Ten seconds at 1,000 rows a second, then ten at 5,000.
      const rows = second <= 10 ? second * 1000 : 10_000 + (second - 10) * 5000;
      take(sent(rows, rows * 100));
    }
    expect(progress.table("ticks")).toMatchObject({
      state: "running",
      sent: 60_000,
      rowsPerSecond: 5000,
      bytesPerSecond: 500_000,
      etaSeconds: 8,
    });
    now += 5000;
    expect(progress.table("ticks")?.rowsPerSecond).toBe(2500);
  });

  test("nothing is said of a rate before there is one", () => {
    take(plan(10));
    now = 100;
    take(sent(5, 50));
    expect(progress.table("ticks")).toMatchObject({ rowsPerSecond: 0, etaSeconds: null });
  });

  test("the whole is the sum of the tables", () => {
    take(plan(1000, "a"), plan(3000, "b"));
    now = 2000;
    take(sent(1000, 10_000, "a"), sent(1000, 30_000, "b"));
    expect(progress.whole()).toEqual({
      rows: 4000,
      sent: 2000,
      committed: 0,
      bytes: 40_000,
      rowsPerSecond: 1000,
      bytesPerSecond: 20_000,
      etaSeconds: 2,
    });
  });

  test("a table that is planned again after a lost connection counts what is left", () => {
    take(plan(1000), sent(600, 6000), { kind: "part", table: "ticks", rows: 500 });
    now = 1000;
    take({ kind: "retry", attempt: 1, of: 5, waitMs: 500, reason: "gone" }, plan(500));
    expect(progress.table("ticks")).toMatchObject({ state: "waiting", rows: 500, sent: 0, bytes: 0 });
    take({ kind: "table", table: "ticks", action: "unchanged", rows: 0 });
    expect(progress.table("ticks")).toMatchObject({ state: "done" });
  });

  test("a table that is done has its mean rate", () => {
    take(plan(1000));
    now = 4000;
    take(sent(1000, 8000), {
      kind: "loaded",
      ...{ table: "ticks", inserted: 1000, updated: 0, deleted: 0, ms: 4000 },
    });
    expect(progress.table("ticks")).toMatchObject({ rowsPerSecond: 250, bytesPerSecond: 2000 });
  });
});

test("texts", () => {
  const at = { rows: 2_500_000, sent: 1_050_000, committed: 1_000_000, bytes: 0 };
  expect(progressText({ ...at, rowsPerSecond: 410_123, bytesPerSecond: 62_100_000, etaSeconds: 3.2 })).toBe(
    "42 %, 1,050,000 of 2,500,000 rows, 410,000 rows/s, 62.1 MB/s, 4 s left",
  );
  expect(progressText({ ...at, sent: at.rows, rowsPerSecond: 1, bytesPerSecond: 1, etaSeconds: 0 })).toBe(
    "2,500,000 rows sent",
  );
  expect(percent({ rows: 1000, sent: 999 })).toBe(99);
  expect([59.2, 61, 3600, 7322].map(duration)).toEqual([
    "1 min 0 s",
    "1 min 1 s",
    "1 h 00 min",
    "2 h 02 min",
  ]);
  const table = {
    table: "t",
    action: "merge",
    state: "done",
    rows: 1,
    sent: 1,
    committed: 1,
    bytes: 1,
  } as const;
  const rates = { rowsPerSecond: 0, bytesPerSecond: 0, etaSeconds: null };
  const done = { inserted: 0, updated: 1, deleted: 2, ms: 1500 };
  expect(outcomeText({ ...table, ...rates, done })).toBe("1 row updated, 2 deleted in 1.5 s");
  expect(outcomeText({ ...table, ...rates })).toBe("unchanged");
});

describe("plain lines", () => {
  let lines: string[];
  const show = (...events: LoadEvent[]) => {
    lines = [];
    const plain = new PlainLines({ write: (line) => lines.push(line), now: () => now });
    for (const event of events) {
      plain.take(event);
      now += 1000;
    }
  };

  test("of a large table: its beginning, every ten percent or ten seconds, its end", () => {
    const each = Array.from({ length: 100 }, (_, i) => sent((i + 1) * 1000, (i + 1) * 10_000));
    show(plan(100_000), ...each, {
      kind: "loaded",
      ...{ table: "ticks", inserted: 100_000, updated: 0, deleted: 0, ms: 100_000 },
    });
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("ticks: load 100,000 rows");
    expect(lines[5]).toBe("ticks: 50 %, 50,000 of 100,000 rows, 1,000 rows/s, 0.0 MB/s, 50 s left");
    expect(lines[10]).toBe("ticks: 100,000 rows inserted in 100.0 s, 1,000 rows/s, 0.0 MB/s");
  });

  test("of a small table its end only, of an unchanged one nothing", () => {
    show(plan(100), sent(50, 500), {
      kind: "loaded",
      ...{ table: "ticks", inserted: 100, updated: 0, deleted: 0, ms: 10 },
    });
    expect(lines).toEqual(["ticks: 100 rows inserted in 0.0 s"]);
    show({ kind: "table", table: "ticks", action: "unchanged", rows: 0 });
    expect(lines).toEqual([]);
  });

  test("of a lost connection what will happen", () => {
    show({ kind: "retry", attempt: 2, of: 5, waitMs: 1000, reason: "reset" });
    expect(lines).toEqual(["connection lost (reset); going on in 1 s (attempt 2 of 5)"]);
  });
});
