import { describe, expect, test } from "vitest";
import { type ColumnstoreFacts, planDirectLoad } from "../loaders/columnstore.ts";
import { CopyBuffer } from "../loaders/encode/copy-buffer.ts";
import type { ResolvedColumn } from "../loaders/resolve-table.ts";
import { type ColumnstoreLayout, ColumnstoreRows } from "../loaders/source/columnstore-rows.ts";

const column = (target: string, kind: string, typeText = kind) =>
  ({
    source: target,
    target,
    type: { kind, length: null, digits: 6 },
    typeText,
  }) as unknown as ResolvedColumn;
const columns = [
  column("symbol", "text", "character varying"),
  column("time", "timestamptz"),
  column("price", "float8"),
];
const facts: ColumnstoreFacts = {
  license: "timescale",
  direct: true,
  enabled: true,
  segmentBy: ["symbol"],
  orderBy: [{ column: "time", descending: true }],
  hindrances: [],
  dimensions: 1,
  timeColumn: "time",
  chunk: 360 * 86_400e6,
  before: 1000,
};
const reasonOf = (more: Partial<ColumnstoreFacts>) => {
  const direct = planDirectLoad({ ...facts, ...more }, columns);
  return "reason" in direct ? direct.reason : "none";
};

describe("whether rows may go straight to the columnstore", () => {
  test("they may, by the table's settings", () => {
    expect(planDirectLoad(facts, columns)).toEqual({
      layout: { segment: [0], time: 1, descending: true, byTime: true, chunk: facts.chunk, before: 1000 },
    });
  });

  test("and if not, why", () => {
    expect(planDirectLoad(null, columns)).toEqual({ reason: "it is no hypertable by time" });
    expect(reasonOf({ license: "apache" })).toContain("Apache edition");
    expect(reasonOf({ enabled: false })).toBe("the table has no columnstore");
    expect(reasonOf({ direct: false })).toContain("older than 2.21");
    expect(reasonOf({ hindrances: ["key price_history_pkey"] })).toBe(
      "key price_history_pkey is there already",
    );
    expect(reasonOf({ dimensions: 2 })).toContain("more than one dimension");
    expect(reasonOf({ timeColumn: "price" })).toContain("price is no timestamp");
    expect(reasonOf({ segmentBy: ["market"] })).toContain("does not come from the source");
    expect(reasonOf({ orderBy: [{ column: "symbol", descending: false }, ...facts.orderBy] })).toContain(
      "ordered by symbol, a varchar",
    );
  });

  test("the server sorts where not the time alone gives the order", () => {
    const orderBy = [...facts.orderBy, { column: "price", descending: false }];
    expect(planDirectLoad({ ...facts, orderBy }, columns)).toMatchObject({ layout: { byTime: false } });
  });
});

type Row = [symbol: string, time: number];

const day = 86_400_000_000;
const layout: ColumnstoreLayout = {
  ...{ segment: [0], time: 1, descending: true, byTime: true },
  chunk: 10_000 * day,
  before: 5000 * day,
};

function encode(rows: Row[]): CopyBuffer {
  const out = new CopyBuffer(64);
  for (const [symbol, time] of rows) {
    out.reserve(64);
    out.putInt16(2);
    out.putText(symbol);
    out.putInt32(8);
    out.putInt64(BigInt(time));
  }
  return out;
}

function decode(out: CopyBuffer, stretches: Iterable<readonly [number, number]>): Row[] {
  const rows: Row[] = [];
  for (const [start, end] of stretches) {
    for (let at = start; at < end; ) {
      const length = out.view.getInt32(at + 2);
      const symbol = out.bytes.toString("utf8", at + 6, at + 6 + length);
      at += 6 + length;
      rows.push([symbol, Number(out.view.getBigInt64(at + 4))]);
      at += 12;
    }
  }
  return rows;
}

/** Days `from` to `to` of a symbol. */
const days = (symbol: string, from: number, to: number): Row[] =>
  Array.from({ length: to - from }, (_, i) => [symbol, (from + i) * day]);

function take(into: ColumnstoreRows, rows: Row[]) {
  const out = encode(rows);
  return into.take(out)?.map(({ store, rows: count, stretches }) => {
    const decoded = decode(out, stretches);
    expect(decoded).toHaveLength(count);
    return { store, rows: decoded };
  });
}

describe("rows on their way to the columnstore", () => {
  test("come segment by segment, latest first; recent ones stay rows, in the order they came", () => {
    const byDay = Array.from({ length: 400 }, (_, i): Row[] => [
      ["a", (4800 + i) * day],
      ["b", (4800 + i) * day],
    ]).flat();
    expect(take(new ColumnstoreRows(layout, true), byDay)).toEqual([
      {
        store: "ordered columnstore",
        rows: [...days("a", 4800, 5000).reverse(), ...days("b", 4800, 5000).reverse()],
      },
      { store: "rowstore", rows: byDay.filter(([, time]) => time >= 5000 * day) },
    ]);
  });

  test("come earliest first where the table says so, whatever order they had", () => {
    const shuffled = days("a", 0, 300).sort(
      (x, y) => (((x[1] / day) * 7919) % 300) - (((y[1] / day) * 7919) % 300),
    );
    expect(shuffled).not.toEqual(days("a", 0, 300));
    expect(take(new ColumnstoreRows({ ...layout, descending: false }, true), shuffled)).toEqual([
      { store: "ordered columnstore", rows: days("a", 0, 300) },
    ]);
  });

  test("are in order as long as each segment goes on where it was", () => {
    const rows = new ColumnstoreRows(layout, true);
    const storeOf = (more: Row[]) => take(rows, more)?.[0]?.store;
    expect(storeOf([...days("a", 0, 200), ...days("b", 500, 700)])).toBe("ordered columnstore");
    expect(storeOf([...days("a", 200, 400), ...days("c", 0, 200)])).toBe("ordered columnstore");
    expect(storeOf(days("b", 400, 600))).toBe("columnstore");
    expect(storeOf(days("c", 200, 400))).toBe("ordered columnstore");
    expect(storeOf(days("b", 650, 850))).toBe("columnstore");
  });

  test("are never taken to be in order where the load goes on after another, or other columns order them", () => {
    expect(take(new ColumnstoreRows(layout, false), days("a", 0, 200))?.[0]?.store).toBe("columnstore");
    const others = new ColumnstoreRows({ ...layout, byTime: false }, true);
    expect(take(others, days("a", 0, 200))?.[0]?.store).toBe("columnstore");
  });

  test("stay rows where few fall into a segment and chunk; the first ones decide", () => {
    const sparse = new ColumnstoreRows({ ...layout, chunk: 50 * day }, true);
    expect(take(sparse, days("a", 0, 200))).toBeUndefined();
    expect(take(sparse, days("a", 200, 250))).toBeUndefined();
    const dense = new ColumnstoreRows(layout, true);
    expect(take(dense, days("a", 5100, 5101))).toBeUndefined();
    expect(take(dense, days("a", 0, 200))).toHaveLength(1);
    expect(take(dense, days("a", 200, 201))).toHaveLength(1);
  });

  test("of segments that differ in one byte, or lack the column's value, do not mix", () => {
    const rows = new ColumnstoreRows(layout, true);
    const mixed = [...days("ab", 0, 200), ...days("a", 0, 200), ...days("ä", 0, 200), ...days("", 0, 200)];
    const sorted = ["ab", "a", "ä", ""].flatMap((symbol) => days(symbol, 0, 200).reverse());
    expect(take(rows, mixed)?.[0]?.rows).toEqual(sorted);
  });

  test("with a time beyond what a double tells apart stay rows", () => {
    const rows = new ColumnstoreRows(layout, true);
    const far: Row = ["a", -(2 ** 60)];
    expect(take(rows, [...days("a", 0, 200), far])?.[1]).toEqual({ store: "rowstore", rows: [far] });
  });
});
