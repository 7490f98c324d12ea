import type { SourceIndex } from "../../loaders/inspect/source-index.ts";
import type { QueryConditions } from "../../loaders/survey/query-conditions.ts";
import type { DeclaredTable } from "../../migrations/declared-tables.ts";
import { type Interval, intervalText } from "../../migrations/interval.ts";
import type { IndexAdvice } from "./advice.ts";
import { count } from "./figure-text.ts";
import { momentsLength } from "./moment.ts";
import { hoursOf } from "./span.ts";

/** What decides on a hypertable's indexes. */
export interface IndexFacts {
  table: string;
  time: string;
  declared: DeclaredTable;
  chunk: Interval;
  /** Queries that name the table, by their own name, with the columns of this table alone. */
  queries: Map<string, QueryConditions>;
  /** Indexes and unique keys of the source, their columns as the target names them; null for one it does not have. */
  source: (Pick<SourceIndex, "name"> & { columns: (string | null)[] })[];
  /** Names of source indexes that SQLite uses for the workload's queries. */
  used: Set<string>;
}

/** A target index, as messages name it. */
interface TargetIndex {
  name: string;
  columns: string[];
}

/** A query whose range is shorter than that share of a chunk finds its rows better by an index on time. */
const shareOfChunk = 0.25;

/** Which indexes the queries need, and which of the source's have nothing to do in the target. */
export function adviseIndexes(facts: IndexFacts): IndexAdvice[] {
  const indexes = targetIndexes(facts.declared);
  return [...forQueries(facts, indexes), ...forSource(facts, indexes)];
}

function targetIndexes({ primaryKey, unique, indexes }: DeclaredTable): TargetIndex[] {
  return [
    ...(primaryKey.length > 0 ? [{ name: "the primary key", columns: primaryKey }] : []),
    ...unique.map((columns) => ({ name: "the unique key", columns })),
    ...indexes,
  ];
}

function forQueries(facts: IndexFacts, indexes: TargetIndex[]): IndexAdvice[] {
  const served = new Map<TargetIndex, string[]>();
  const byChunks: string[] = [];
  const whole: string[] = [];
  const missing = new Map<string, { columns: string[]; names: string[] }>();
  for (const [name, query] of facts.queries) {
    const need = needOf(facts, query);
    if (need === "chunks") byChunks.push(name);
    else if (need === "every row") whole.push(name);
    else {
      const index = bestFor(need, indexes);
      if (index) served.set(index, [...(served.get(index) ?? []), name]);
      else {
        const columns =
          need.equal.length > 0 ? [...need.equal, `${facts.time} desc`] : [`${facts.time} desc`];
        const found = missing.get(columns.join()) ?? { columns, names: [] };
        missing.set(columns.join(), { columns, names: [...found.names, name] });
      }
    }
  }
  const advice: IndexAdvice[] = [...missing.values()].map(({ columns, names }) => ({
    kind: "missing",
    text: `(${columns.join(", ")}) for ${quoted(names)}: no key or index begins with ${columns.length > 1 ? "a column that it names" : "the time"}`,
    migration: `db.index(${JSON.stringify(facts.table)}, ${JSON.stringify(columns).replaceAll(",", ", ")});`,
  }));
  for (const [{ name, columns }, names] of served) {
    advice.push({ kind: "serves", text: `${name} (${columns.join(", ")}) serves ${quoted(names)}` });
  }
  if (byChunks.length > 0) {
    advice.push({ kind: "serves", text: `chunks of ${intervalText(facts.chunk)} serve ${quoted(byChunks)}` });
  }
  if (whole.length > 0) {
    advice.push({ kind: "serves", text: `no index helps ${quoted(whole)}: no condition narrows it down` });
  }
  return advice;
}

interface Need {
  equal: string[];
  /** The time column, where an index that begins with it is enough. */
  time: string | null;
}

function needOf({ time, chunk }: IndexFacts, query: QueryConditions): Need | "chunks" | "every row" {
  const latest = query.limited && query.orderBy[0]?.replace(/ .*/, "") === time;
  const range = query.ranges[time];
  const length = range === undefined ? undefined : momentsLength(range);
  const short = length !== undefined && length < shareOfChunk * hoursOf(chunk) * 3600;
  if (query.equal.length > 0) return { equal: query.equal, time: short ? time : null };
  if (latest || short) return { equal: [], time };
  return range === undefined ? "every row" : "chunks";
}

/** The index that begins with the most columns that are compared by =; else one that begins with the time, if that will do. */
function bestFor({ equal, time }: Need, indexes: TargetIndex[]): TargetIndex | undefined {
  const depth = ({ columns }: TargetIndex) => {
    const other = columns.findIndex((column) => !equal.includes(bare(column)));
    return other < 0 ? columns.length : other;
  };
  const [best] = indexes.toSorted((a, b) => depth(b) - depth(a));
  if (best && depth(best) > 0) return best;
  return time === null ? undefined : indexes.find(({ columns }) => bare(columns[0] ?? "") === time);
}

function forSource(facts: IndexFacts, indexes: TargetIndex[]): IndexAdvice[] {
  const byTime = [...facts.queries.values()].some((query) => {
    const need = needOf(facts, query);
    return typeof need === "object" && need.time !== null;
  });
  return facts.source.flatMap(({ name, columns }): IndexAdvice[] => {
    const shown = `the source's ${name}`;
    if (columns.some((column) => column === null)) {
      return [{ kind: "redundant", text: `${shown}: a column of it is not in the target` }];
    }
    const names = columns as string[];
    const same = indexes.find((index) =>
      names.every((column, at) => bare(column) === bare(index.columns[at] ?? "")),
    );
    if (same)
      return [
        { kind: "redundant", text: `${shown} (${names.join(", ")}): ${same.name} begins with the same` },
      ];
    if (names.length === 1 && bare(names[0] as string) === facts.time && !byTime) {
      return [{ kind: "redundant", text: `${shown} (${names[0]}): chunks take its place` }];
    }
    if (facts.used.has(name)) return [];
    return [{ kind: "unused", text: `${shown} (${names.join(", ")}): no query of the workload uses it` }];
  });
}

function bare(column: string): string {
  return column.replace(/ .*/, "");
}

function quoted(names: string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`);
  const rest = names.length - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${count(rest)} more` : "");
}
