import type { RowsPerPeriod } from "../../loaders/survey/row-times.ts";
import { type Interval, intervalText } from "../../migrations/interval.ts";
import type { Choice } from "./advice.ts";
import { count, mebibytes } from "./figure-text.ts";
import { chunkSpans, hoursOf } from "./span.ts";

/** Rows from which a chunk pays what it costs: its files, its place in every plan. */
export const enoughRows = 100_000;
/** Chunks that a whole table should not have more of: each is a table of its own to the planner. */
export const mostChunks = 500;
/** Up to so many chunks cost next to nothing, however few rows they hold. */
const fewChunks = 50;
/** The share of memory that the chunks being written may fill, with their indexes. */
const hotShare = 0.25;
/** A chunk is dropped as a whole: with chunks of a quarter of the retention, rows stay a quarter longer. */
const chunksInRetention = 4;
/** A chunk moves as a whole: longer than so many times the age at which it may, and hardly a row is ever packed. */
const agesInChunk = 4;
/** A shorter stretch of time does not tell how many rows a longer one would bring. */
const leastSpanHours = 7 * 24;

/** What decides on the span of a chunk. */
export interface ChunkFacts {
  declared: Interval;
  /** Rows of the whole table. */
  rows: number;
  /** Hours from the first row to the last. */
  span: number;
  per(hours: number): RowsPerPeriod;
  /** Bytes that a row takes with its entries in every key and index. */
  rowBytes: number;
  memoryMb: number;
  /** How late rows may come and still be usual, in hours: chunks that far back are written to as well. */
  lateHours: number;
  retention: Interval | null;
  /** Age at which chunks move to the columnstore; null where none do. */
  columnstoreAfter: Interval | null;
  /** Rows of one segment in a chunk of so many hours; null where no column makes segments. */
  segment: { name: string; rows(hours: number): number; least: number } | null;
}

/** Whether all rows of a table, and those of a year at its pace, are too few for one chunk. */
export function isSmall(facts: ChunkFacts): boolean {
  return yearly(facts) < enoughRows;
}

/** Why any span would do; null where it matters. */
export function whyAnyChunk(facts: ChunkFacts): string | null {
  const { rows, declared } = facts;
  if (!isSmall(facts) || facts.per(hoursOf(declared)).periods > fewChunks) return null;
  return `${count(rows)} row${rows === 1 ? "" : "s"} fit any choice`;
}

/** The span that is declared where nothing speaks against it, else the shortest against which nothing does. */
export function adviseChunk(facts: ChunkFacts): Choice<string> {
  const declared = intervalText(facts.declared);
  const found = judge(facts, facts.declared);
  if (found.tooLong.length + found.tooShort.length === 0) {
    return { advised: declared, declared, reasons: [found.figures] };
  }
  // Beyond what the source covers there is nothing to judge by.
  const covering = chunkSpans.findIndex((span) => hoursOf(span) >= facts.span);
  const spans = covering < 0 ? chunkSpans : chunkSpans.slice(0, covering + 1);
  const judged = spans.map((span) => ({ span, ...judge(facts, span) }));
  const bearable = judged.filter(({ tooLong }) => tooLong.length === 0);
  const best = bearable.find(({ tooShort }) => tooShort.length === 0) ?? bearable.at(-1) ?? judged[0];
  if (best === undefined || intervalText(best.span) === declared) {
    return { advised: declared, declared, reasons: [found.figures, ...found.tooLong, ...found.tooShort] };
  }
  return {
    advised: intervalText(best.span),
    declared,
    reasons: [...found.tooLong, ...found.tooShort, best.figures],
  };
}

interface Judgement {
  figures: string;
  /** What speaks for a shorter span; each must not be. */
  tooLong: string[];
  /** What speaks for a longer one. */
  tooShort: string[];
}

function judge(facts: ChunkFacts, span: Interval): Judgement {
  const { memoryMb, retention, segment } = facts;
  const hours = hoursOf(span);
  const name = intervalText(span);
  const { periods } = facts.per(hours);
  const { typical, most } = rowsIn(facts, hours);
  const hot = 1 + Math.ceil(facts.lateHours / hours);
  const bytes = most * facts.rowBytes * hot;
  const tooLong: string[] = [];
  const tooShort: string[] = [];
  const share = bytes / (memoryMb * 2 ** 20);
  if (share > hotShare) {
    const chunks = hot === 1 ? `the fullest ${name} takes` : `${hot} chunks of ${name} take`;
    tooLong.push(`${chunks} ${mebibytes(bytes)} with indexes, more than a quarter of ${count(memoryMb)} MiB`);
  }
  if (retention && hours * chunksInRetention > hoursOf(retention)) {
    tooLong.push(`a chunk of ${name} would stay that long beyond a retention of ${intervalText(retention)}`);
  }
  const { columnstoreAfter: after } = facts;
  if (after && hours > agesInChunk * hoursOf(after)) {
    tooLong.push(`a chunk of ${name} would stay rows that long beyond ${intervalText(after)}`);
  }
  if (typical < enoughRows) {
    tooShort.push(`chunks of ${name} hold ${count(typical)} rows, and they pay from ${count(enoughRows)}`);
  }
  const inSegment = segment?.rows(hours) ?? 0;
  if (segment && inSegment < segment.least) {
    tooShort.push(
      `that is ${count(inSegment)} of one ${segment.name}, and segments pay from ${count(segment.least)}`,
    );
  }
  if (periods > (isSmall(facts) ? fewChunks : mostChunks)) {
    tooShort.push(`${name} makes ${count(periods)} chunks, each with files and indexes of its own`);
  }
  const figures = [
    `chunks of ${name} hold ${count(typical)} rows`,
    ...(segment ? [`${count(inSegment)} of one ${segment.name}`] : []),
    `at most ${mebibytes(bytes)} with indexes (${percent(share)} of memory)`,
    `${count(periods)} chunk${periods === 1 ? "" : "s"} in all`,
  ];
  return { figures: figures.join(", "), tooLong, tooShort };
}

/** Rows of a chunk; where it is longer than what the source holds, at the pace of the source. */
function rowsIn(facts: ChunkFacts, hours: number): { typical: number; most: number } {
  const { median, most } = facts.per(hours);
  if (facts.span >= 2 * hours || facts.span < leastSpanHours) return { typical: median, most };
  const paced = Math.round((facts.rows / facts.span) * hours);
  return { typical: Math.max(median, paced), most: Math.max(most, paced) };
}

/** Rows of a year at the source's pace, or all there are where those are more. */
function yearly(facts: ChunkFacts): number {
  if (facts.span < leastSpanHours) return facts.rows;
  return Math.max(facts.rows, (facts.rows / facts.span) * 365 * 24);
}

function percent(share: number): string {
  return share < 0.01 ? "under 1 %" : `${Math.round(share * 100)} %`;
}
