import { leastBatch } from "../../loaders/source/columnstore-rows.ts";
import type { Lateness } from "../../loaders/survey/lateness.ts";
import { type Interval, intervalText } from "../../migrations/interval.ts";
import type { Choice } from "./advice.ts";
import { count, listed } from "./figure-text.ts";
import { columnstoreAges, hoursOf, spanText } from "./span.ts";

/** A set of columns whose equal values may be kept together. */
export interface SegmentFacts {
  columns: string[];
  /** Different values; null where there are nearly as many as rows. */
  values: number | null;
  /** Rows of one value in one chunk of so many hours. */
  rowsPerChunk(hours: number): number;
}

/** Rows of one segment and chunk from which the columnstore packs well (docs/columnstore.md). */
export const leastSegment = leastBatch;
/** Where more rows than this are late, they were not written as they happened, and lateness says nothing. */
const mostLate = 0.5;
const usualAge = 7 * 24;

/** Seconds by which rows may be late and still be usual; 0 where nothing tells. */
export function usualLateness(lateness: Lateness | null): number {
  return lateness !== null && tellsLateness(lateness) ? lateness.p999 : 0;
}

/** Whether the order of the rows tells how late they arrive. */
function tellsLateness({ shareInSegment }: Lateness): boolean {
  return shareInSegment <= mostLate;
}

/**
 * The set to segment by in chunks of `hours`: the declared one where its segments are large enough, else the one that
 * makes the most segments of that size; undefined for none.
 */
export function pickSegments(
  sets: SegmentFacts[],
  declared: string[] | null,
  hours: number,
): SegmentFacts | undefined {
  const usable = sets
    .filter(({ values }) => values !== null && values > 1)
    .filter((set) => set.rowsPerChunk(hours) >= leastSegment)
    .toSorted((a, b) => (b.values ?? 0) - (a.values ?? 0) || a.columns.length - b.columns.length);
  return usable.find(({ columns }) => declared !== null && isSame(columns, declared)) ?? usable[0];
}

/**
 * The columns to segment by, none where no set makes segments of enough rows.
 *
 * @param chunk the span that chunks will have
 */
export function adviseSegments(
  sets: SegmentFacts[],
  declared: string[] | null,
  chunk: Interval,
): Choice<string[]> {
  const hours = hoursOf(chunk);
  const best = pickSegments(sets, declared, hours);
  const others = sets
    .filter((set) => set !== best && !addsNothingTo(set, best))
    .map((set) => whyNot(set, chunk));
  if (best === undefined) {
    const none = ["no key column comes from the source"];
    return { advised: [], declared, reasons: sets.length === 0 ? none : others };
  }
  const rows = count(best.rowsPerChunk(hours));
  const reason = `${count(best.values ?? 0)} values of ${listed(best.columns)}, ${rows} rows of each in ${intervalText(chunk)}; a segment pays from ${leastSegment}`;
  return { advised: best.columns, declared, reasons: [reason, ...others] };
}

function whyNot({ columns, values, rowsPerChunk }: SegmentFacts, chunk: Interval): string {
  const name = listed(columns);
  if (values === null) return `${name}: nearly every row has a value of its own`;
  if (values <= 1) return `${name}: one value, so nothing to tell apart`;
  const rows = rowsPerChunk(hoursOf(chunk));
  const few = rows < leastSegment ? `, and a segment pays from ${leastSegment}` : "";
  return `${name}: ${count(values)} values, ${count(rows)} rows of each in ${intervalText(chunk)}${few}`;
}

/** With a column that tells nothing more apart, a set makes the same segments as without it. */
function addsNothingTo(set: SegmentFacts, best: SegmentFacts | undefined): boolean {
  return set.values === best?.values && set.columns.length > (best?.columns.length ?? 0);
}

function isSame(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/**
 * The order within a segment: by the column that queries name and that the segments do not tell apart, if there is one,
 * then by time.
 */
export function adviseOrder(
  sets: SegmentFacts[],
  segmentBy: string[],
  declared: string[] | null,
  time: string,
  typeOf: (column: string) => string,
): Choice<string[]> {
  const values = sets.find(({ columns }) => isSame(columns, segmentBy))?.values ?? 1;
  const [finer] = sets
    .filter(({ columns }) => columns.length === 1 && !segmentBy.includes(columns[0] as string))
    .filter((set) => set.values === null || set.values > values)
    .toSorted((a, b) => (a.values ?? Number.MAX_VALUE) - (b.values ?? Number.MAX_VALUE));
  const [column = ""] = finer?.columns ?? [];
  const reasons: string[] = [];
  if (finer !== undefined && unordered.test(typeOf(column))) {
    reasons.push(
      `${column} would keep its rows side by side, but as varchar TimescaleDB fails to sort by it ("missing operator", seen in 2.29.2); as text it could`,
    );
  } else if (finer !== undefined) {
    const reason = `rows of one ${listed(finer.columns)} lie side by side, without a segment for each`;
    return { advised: [...finer.columns, time], declared, reasons: [reason] };
  }
  const byTime = declared?.length === 1 && declared[0]?.replace(/ .*/, "") === time;
  reasons.push("a load can write rows in this order itself, and the latest rows of a segment come first");
  return { advised: byTime && declared ? declared : [`${time} desc`], declared, reasons };
}

/** Types by which a columnstore is not ordered reliably: queries on chunks that a load wrote there fail (XX000). */
const unordered = /^(?:varchar|character varying)/i;

/** When chunks move: as declared, unless rows still come in after that. */
export function adviseAge(
  lateness: Lateness | null,
  declared: Interval | null,
  shareIn: (age: number) => { younger: number; open: number },
): Choice<string> {
  const lateHours = usualLateness(lateness) / 3600;
  const own = declared !== null && hoursOf(declared) >= lateHours ? declared : null;
  const least = Math.max(lateHours, declared === null ? usualAge : 0);
  const age = own ?? columnstoreAges.find((each) => hoursOf(each) >= least) ?? columnstoreAges.at(-1);
  const advised = intervalText(age as Interval);
  const { younger, open } = shareIn(hoursOf(age as Interval));
  const late = lateText(lateness);
  const shares = `${percent(younger)} of the rows are younger, ${percent(open)} lie in chunks that stay rows`;
  return { advised, declared: declared && intervalText(declared), reasons: [late, shares] };
}

function lateText(lateness: Lateness | null): string {
  if (lateness === null) return "the table has no rowid, so nothing tells how late rows arrive";
  if (!tellsLateness(lateness)) {
    return `${percent(lateness.shareInSegment)} of the rows were written after later ones: a history was filled in, which says nothing about lateness`;
  }
  if (lateness.shareInSegment === 0) return "no row was written after a later one of the same key";
  return `${percent(lateness.shareInSegment)} of the rows were written after later ones of the same key, 999 of 1,000 within ${spanText(lateness.p999)}, all within ${spanText(lateness.most)}`;
}

function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "under 0.1 %";
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} %`;
}
