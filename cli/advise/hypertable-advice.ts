import type { TableSurvey } from "../../loaders/survey/survey-table.ts";
import type { Edition } from "../../migrations/edition.ts";
import { type Interval, intervalText, parseInterval } from "../../migrations/interval.ts";
import type { HypertableAdvice, TableFigures } from "./advice.ts";
import { adviseChunk, type ChunkFacts, enoughRows, isSmall, whyAnyChunk } from "./chunk-advice.ts";
import {
  adviseAge,
  adviseOrder,
  adviseSegments,
  leastSegment,
  pickSegments,
  type SegmentFacts,
  usualLateness,
} from "./columnstore-advice.ts";
import { listed } from "./figure-text.ts";
import { adviseIndexes } from "./index-advice.ts";
import { chunkSpans, hoursOf, longestSpan } from "./span.ts";
import type { TableFacts } from "./table-facts.ts";
import { taking } from "./taking.ts";

/** The periods whose rows are shown: the spans in which people think. */
const shownSpans = chunkSpans.filter(({ unit }) => unit !== "hour");

/** What an advice depends on besides the table itself. */
export interface AdviceSurroundings {
  edition: Edition;
  memoryMb: number;
  /** Source indexes that SQLite uses for the workload's queries. */
  used: Set<string>;
}

/** Advises on one hypertable: chunk, columnstore, indexes. */
export function adviseHypertable(facts: TableFacts, around: AdviceSurroundings): HypertableAdvice {
  const { hypertable, declared, source, queries, indexes, constant } = facts;
  const { table, time } = hypertable;
  const figures = figuresOf(facts);
  if (source === null || figures === null) return untold(facts);
  const { survey } = source;
  const scale = Math.max(1, survey.rows / survey.read);
  const sets = survey.segments.map(
    (each, at): SegmentFacts => ({
      columns: facts.segments[at] as string[],
      values: each.endless ? null : each.values,
      rowsPerChunk: (hours) => each.rowsPerChunk(hours, scale),
    }),
  );
  const chunkFacts = chunkFactsOf(facts, figures, survey, sets, around);
  const nothingToGain = whyAnyChunk(chunkFacts);
  if (nothingToGain !== null) return { ...untold(facts), figures, nothingToGain };
  const chunk = adviseChunk(chunkFacts);
  const span = parseInterval(chunk.advised, `advised chunk of ${table}`);
  const isLarge = survey.rows >= enoughRows || (declared.columnstore !== null && !isSmall(chunkFacts));
  const columnstore = isLarge ? columnstoreOf(facts, survey, sets, span) : null;
  return {
    ...{ table, time, figures, nothingToGain, chunk, columnstore },
    indexes: adviseIndexes({
      ...{ table, time, declared, chunk: span, queries, used: around.used, constant },
      source: indexes,
    }),
    ...taking({ table, chunk, columnstore: around.edition === "community" ? columnstore : null }, declared),
  };
}

function chunkFactsOf(
  { hypertable, declared }: TableFacts,
  { rowBytes, indexBytes }: TableFigures,
  { rows, times, lateness }: TableSurvey,
  sets: SegmentFacts[],
  { edition, memoryMb }: AdviceSurroundings,
): ChunkFacts {
  const facts: ChunkFacts = {
    ...{ declared: hypertable.chunk, rows, span: times.span, memoryMb },
    per: (hours) => times.per(hours),
    rowBytes: rowBytes + indexBytes,
    lateHours: usualLateness(lateness) / 3600,
    retention: declared.retention,
    columnstoreAfter: null,
    segment: null,
  };
  if (edition === "apache" || isSmall(facts)) return facts;
  return {
    ...facts,
    columnstoreAfter: declared.columnstoreAfter,
    segment: segmentOf(sets, declared.columnstore?.segmentBy ?? null),
  };
}

function columnstoreOf(
  { hypertable, declared: { columnstore, columnstoreAfter, columns } }: TableFacts,
  { times, lateness }: TableSurvey,
  sets: SegmentFacts[],
  chunk: Interval,
): HypertableAdvice["columnstore"] {
  const segmentBy = adviseSegments(sets, columnstore?.segmentBy ?? null, chunk);
  return {
    segmentBy,
    orderBy: adviseOrder(
      sets,
      segmentBy.advised,
      columnstore?.orderBy ?? null,
      hypertable.time,
      (column) => columns[column] ?? "",
    ),
    after: adviseAge(lateness, columnstoreAfter, (hours) => ({
      younger: times.shareOfLast(hours),
      open: times.shareInOpen(hoursOf(chunk), hours),
    })),
  };
}

/** The declared choices, for a table of which the source tells too little. */
function untold({ hypertable, source }: TableFacts): HypertableAdvice {
  const chunk = intervalText(hypertable.chunk);
  const why =
    source === null
      ? "no table of the source fills it, so there is nothing to measure"
      : source.survey.rows === 0
        ? "the source has no row for it, so there is nothing to measure"
        : "the time of none of its rows can be read";
  return {
    ...{ table: hypertable.table, time: hypertable.time, figures: null, nothingToGain: why },
    chunk: { advised: chunk, declared: chunk, reasons: [] },
    ...{ columnstore: null, indexes: [], config: [], migration: [] },
  };
}

function figuresOf({ source, declared, segments }: TableFacts): TableFigures | null {
  const range = source?.survey.range ?? null;
  if (source === null || range === null) return null;
  const { survey, width } = source;
  const scale = Math.max(1, survey.rows / survey.read);
  const keys = [declared.primaryKey, ...declared.unique, ...declared.indexes.map(({ columns }) => columns)];
  const [from, until] = range.map((seconds) => new Date(seconds * 1000).toISOString());
  return {
    ...{ rows: survey.rows, read: survey.read, timeless: survey.timeless },
    ...{ from: from as string, until: until as string },
    rowBytes: Math.round(width.row),
    indexBytes: Math.round(
      keys.filter((key) => key.length > 0).reduce((sum, key) => sum + width.indexEntry(key), 0),
    ),
    periods: shownSpans.map((span) => ({
      period: intervalText(span),
      ...survey.times.per(hoursOf(span)),
      perSegment: survey.segments.map((each) =>
        each.endless ? null : each.rowsPerChunk(hoursOf(span), scale),
      ),
    })),
    segments: survey.segments.map((each, at) => ({
      columns: segments[at] as string[],
      values: each.endless ? null : each.values,
    })),
    lateness: survey.lateness,
  };
}

/** The columns that a chunk is measured by: those that make usable segments in the longest chunk; null for none. */
function segmentOf(sets: SegmentFacts[], declared: string[] | null): ChunkFacts["segment"] {
  const best = pickSegments(sets, declared, hoursOf(longestSpan));
  if (best === undefined) return null;
  return { name: listed(best.columns), rows: best.rowsPerChunk, least: leastSegment };
}
