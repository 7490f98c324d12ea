import type pg from "pg";
import type { Check } from "../validation-report.ts";
import { dateText, timestampText } from "./canonical-time.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { BothSides } from "./differing-rows.ts";
import { bucketBits, differingBuckets, sumText, type Tally, type TallyPlan } from "./row-tally.ts";
import type { SourceAnswer, SourceSide } from "./source-side.ts";
import { stopwatch } from "./stopwatch.ts";
import { runOnTarget } from "./target-rows.ts";

/** What both sides hold of a table, the verdict on it, and whether its rows have to be looked at one by one. */
export interface Content {
  checks: Check[];
  source: SourceAnswer<"tally">;
  target: Tally;
  same: boolean;
  /** Names of the checks that a differing row makes fail, which a threshold may therefore accept. */
  ofRows: Set<string>;
  /** The most that rounding to the target's scale moved a value. */
  rounding: number;
}

/** A table on both sides, with the way to compare it. */
export function bothSides(
  table: ComparedTable,
  source: SourceSide,
  client: pg.ClientBase,
  seed: Int32Array,
): BothSides {
  const kinds = table.resolved.columns.map(({ type }) => type.kind);
  const plan: TallyPlan = { seed, kinds, key: table.key, time: table.time };
  return { table, plan, source, client };
}

/**
 * Compares what a table holds on both sides, in one pass over every column of every row: rows, a checksum, NULLs, and
 * the range of time. The source is read in its thread while the server sends its side.
 */
export async function checkContent(sides: BothSides, onRows: (rows: number) => void): Promise<Content> {
  const { table, plan, client } = sides;
  const ms = stopwatch();
  const pass = { kind: "tally", plan, bits: bucketBits } as const;
  const [source, target] = await Promise.all([
    sides.source.run(table, pass, onRows),
    runOnTarget(table, pass, client),
  ]);
  const took = ms();
  const ours = source.result;
  const { name } = table;
  const same = differingBuckets(ours, target).length === 0;
  const range = (tally: Tally) => rangeText(table, tally.range);
  const checks: Check[] = [
    rowsCheck(table, source, target, took),
    {
      name: `${name} checksum`,
      status: same ? "PASS" : "FAIL",
      expected: sumText(ours),
      actual: sumText(target),
      ...noteOf(roundingNote(table, source.rounding)),
      ms: took,
    },
    comparison(`${name} nulls`, nullCounts(table, ours), nullCounts(table, target)),
    ...(table.time >= 0 ? [comparison(`${name} time range`, range(ours), range(target))] : []),
  ];
  const ofRows = new Set(checks.map((check) => check.name));
  return { checks, source, target, same, ofRows, rounding: Math.max(0, ...source.rounding) };
}

function rowsCheck(table: ComparedTable, source: SourceAnswer<"tally">, target: Tally, ms: number): Check {
  const { read, counted, unfit } = source;
  const notes = [
    ...(read === counted ? [] : [`SQLite counts ${count(counted)} rows, but ${count(read)} were read`]),
    ...(unfit.rows === 0
      ? []
      : [`${count(unfit.rows)} of the source's ${count(counted)} rows cannot be in the target`]),
  ];
  return {
    name: `${table.name} rows`,
    status: read === counted && target.rows === counted - unfit.rows ? "PASS" : "FAIL",
    expected: count(counted - unfit.rows),
    actual: count(target.rows),
    ...noteOf(notes.length > 0 ? notes.join("\n") : undefined),
    ms,
  };
}

/** Both values come from the pass whose time the checksum bears. */
function comparison(name: string, expected: string, actual: string): Check {
  return { name, status: expected === actual ? "PASS" : "FAIL", expected, actual, ms: 0 };
}

function nullCounts(table: ComparedTable, { nulls }: Tally): string {
  const found = table.resolved.columns.flatMap(({ target }, at) =>
    nulls[at] ? [`${target} ${count(nulls[at])}`] : [],
  );
  return found.join(", ") || "none";
}

function rangeText(table: ComparedTable, range: Tally["range"]): string {
  if (range === null) return "no rows";
  const kind = table.resolved.columns[table.time]?.type.kind;
  const [first, last] = range.map((value) =>
    kind === "date"
      ? dateText(value)
      : kind === "timestamp"
        ? timestampText(value)
        : kind === "timestamptz"
          ? `${timestampText(value)}+00`
          : String(value),
  );
  return `${first} to ${last}`;
}

function roundingNote(table: ComparedTable, rounding: number[]): string | undefined {
  const moved = table.resolved.columns.flatMap(({ target }, at) =>
    rounding[at] ? [`${target} by at most ${rounding[at].toPrecision(3)}`] : [],
  );
  return moved.length > 0 ? `rounded to the target's scale: ${moved.join(", ")}` : undefined;
}

function noteOf(note: string | undefined): { note?: string } {
  return note === undefined ? {} : { note };
}

/** A count as a person reads it. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
