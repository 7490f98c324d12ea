import type pg from "pg";
import type { ComparedTable } from "./compared-table.ts";
import type { Pass, PassResult } from "./pass.ts";
import { type DescribedRow, describeRow } from "./row-difference.ts";
import { unmatched } from "./row-entries.ts";
import { bucketBits, differingBuckets, rowsIn, type Tally, type TallyPlan } from "./row-tally.ts";
import type { SourceSide } from "./source-side.ts";
import { runOnTarget } from "./target-rows.ts";

/** Rows that are not the same on both sides. */
export interface DifferingRows {
  /** The first ones found. */
  rows: DescribedRow[];
  /** How many differ; at least so many, where `complete` is false. */
  found: number;
  /** False when the search stopped at the limit. */
  complete: boolean;
}

/** A table on both sides, to be read as often as it takes. */
export interface BothSides {
  table: ComparedTable;
  plan: TallyPlan;
  source: SourceSide;
  client: pg.ClientBase;
}

/** Both sides' sums of the same buckets. */
interface Tallies {
  source: Tally;
  target: Tally;
}

/** Rows of both sides whose hashes are held at once: 24 bytes each. */
const rowsInMemory = 300_000;
/** Buckets of the second look, where the first ones that differ hold more rows than that. */
const fineBits = 18;

/**
 * Finds the rows that make two sums differ. Only buckets that differ are looked at: their rows are paired by hashes,
 * in groups that fit into memory however many rows differ; the rows themselves come last, for the first few.
 * @param shown how many rows to describe
 * @param limit how many differing rows to count before stopping
 */
export async function findDifferences(
  sides: BothSides,
  tallies: Tallies,
  shown: number,
  limit: number,
): Promise<DifferingRows> {
  const { bits, groups } = await groupsOf(sides, tallies);
  const keys: string[] = [];
  let found = 0;
  let searched = 0;
  for (const buckets of groups) {
    if (found >= limit) break;
    searched += 1;
    const { source, target } = await onBothSides(sides, { kind: "entries", plan: sides.plan, bits, buckets });
    for (const [key, rows] of unmatched(source, target)) {
      found += Math.max(rows.source, rows.target);
      if (keys.length < shown) keys.push(key);
    }
  }
  const rows = await describe(sides, keys);
  return { rows: rows.slice(0, shown), found, complete: searched === groups.length };
}

/** The buckets that differ, in groups that fit into memory. */
async function groupsOf(sides: BothSides, tallies: Tallies): Promise<{ bits: number; groups: number[][] }> {
  const coarse = grouped(tallies);
  if (coarse.length <= 1) return { bits: bucketBits, groups: coarse };
  const fine = await onBothSides(sides, { kind: "tally", plan: sides.plan, bits: fineBits });
  return { bits: fineBits, groups: grouped(fine) };
}

function grouped({ source, target }: Tallies): number[][] {
  const groups: number[][] = [];
  let room = 0;
  for (const bucket of differingBuckets(source, target)) {
    const rows = rowsIn(source, bucket) + rowsIn(target, bucket);
    if (groups.length === 0 || room < rows) {
      groups.push([]);
      room = rowsInMemory;
    }
    groups.at(-1)?.push(bucket);
    room -= rows;
  }
  return groups;
}

async function describe(sides: BothSides, keys: string[]): Promise<DescribedRow[]> {
  if (keys.length === 0) return [];
  const { source, target } = await onBothSides(sides, { kind: "capture", plan: sides.plan, keys });
  const [ours, theirs] = [source, target].map((rows) => Map.groupBy(rows, ({ key }) => key));
  return keys
    .flatMap((key) => describeRow(sides.table, ours?.get(key) ?? [], theirs?.get(key) ?? []))
    .sort((a, b) => (a.line < b.line ? -1 : 1));
}

async function onBothSides<P extends Pass>(
  { table, source, client }: BothSides,
  pass: P,
): Promise<{ source: PassResult[P["kind"]]; target: PassResult[P["kind"]] }> {
  const [ours, target] = await Promise.all([source.run(table, pass), runOnTarget(table, pass, client)]);
  return { source: ours.result, target };
}
