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
  /** Columns of which every row has the same value. */
  constant: Set<string>;
  /** Indexes of the source, their columns as the target names them; null for one it does not have. */
  source: (Pick<SourceIndex, "name"> & { columns: (string | null)[] })[];
  /** Names of source indexes that SQLite uses for the workload's queries. */
  used: Set<string>;
}

/** A target index, as messages name it. */
interface TargetIndex {
  name: string;
  columns: string[];
  /** Whether it keeps values unique, and so is needed in any case. */
  isKey: boolean;
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
    ...(primaryKey.length > 0 ? [{ name: "the primary key", columns: primaryKey, isKey: true }] : []),
    ...unique.map((columns) => ({ name: "the unique key", columns, isKey: true })),
    ...indexes.map((index) => ({ ...index, isKey: false })),
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
      const index = bestFor(need, indexes, facts.time);
      if (index) served.set(index, [...(served.get(index) ?? []), name]);
      else {
        const columns =
          need.equal.length > 0 ? [...need.equal, `${facts.time} desc`] : [need.first ?? facts.time];
        const found = missing.get(columns.join()) ?? { columns, names: [] };
        missing.set(columns.join(), { columns, names: [...found.names, name] });
      }
    }
  }
  const advice: IndexAdvice[] = [...missing.values()].map(({ columns, names }) => ({
    kind: "missing",
    text: `(${columns.join(", ")}) for ${quoted(names)}: no key or index begins so`,
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
  if (facts.queries.size > 0) advice.push(...forTarget(indexes, new Set(served.keys())));
  return advice;
}

interface Need {
  equal: string[];
  /** The column, it may descend, with which an index has to begin that serves as well; null for none. */
  first: string | null;
}

function needOf(
  { time, chunk, constant }: IndexFacts,
  { equal, ranges, orderBy, limited }: QueryConditions,
): Need | "chunks" | "every row" {
  const telling = equal.filter((column) => !constant.has(column));
  const range = ranges[time];
  const length = range === undefined ? undefined : momentsLength(range);
  const short = length !== undefined && length < shareOfChunk * hoursOf(chunk) * 3600;
  const first = (limited && orderBy[0]) || (short ? `${time} desc` : null);
  if (telling.length > 0 || first !== null) return { equal: telling, first };
  return range === undefined ? "every row" : "chunks";
}

/**
 * The index that begins with the most columns that are compared by =, and goes on with the time; else one that begins with
 * what will do as well.
 */
function bestFor({ equal, first }: Need, indexes: TargetIndex[], time: string): TargetIndex | undefined {
  const depth = ({ columns }: TargetIndex) => {
    const other = columns.findIndex((column) => !equal.includes(bare(column)));
    if (other === 0) return 0;
    return (other < 0 ? columns.length : other) + (bare(columns[other] ?? "") === time ? 0.5 : 0);
  };
  const [best] = indexes.toSorted((a, b) => depth(b) - depth(a));
  if (best && depth(best) > 0) return best;
  return first === null ? undefined : indexes.find(({ columns }) => bare(columns[0] ?? "") === bare(first));
}

/** Declared indexes that another key makes needless, or that no query of the workload needs. */
function forTarget(indexes: TargetIndex[], served: Set<TargetIndex>): IndexAdvice[] {
  return indexes.flatMap((index): IndexAdvice[] => {
    if (index.isKey) return [];
    const shown = `${index.name} (${index.columns.join(", ")})`;
    const same = indexes.find((other) => other !== index && beginsWith(other, index.columns));
    if (same) return [{ kind: "redundant", text: `${shown}: ${same.name} begins with the same` }];
    if (served.has(index)) return [];
    return [{ kind: "unused", text: `${shown}: no query of the workload needs it` }];
  });
}

/** Source indexes that have no equal in the target, and need none. */
function forSource(facts: IndexFacts, indexes: TargetIndex[]): IndexAdvice[] {
  const byTime = [...facts.queries.values()].some((query) => {
    const need = needOf(facts, query);
    return typeof need === "object" && need.first !== null && bare(need.first) === facts.time;
  });
  return facts.source.flatMap(({ name, columns }): IndexAdvice[] => {
    const shown = `the source's ${name}`;
    if (columns.some((column) => column === null)) {
      return [{ kind: "redundant", text: `${shown}: a column of it is not in the target` }];
    }
    const names = columns as string[];
    const same = indexes.find((index) => beginsWith(index, names));
    if (same?.columns.length === names.length) return [];
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

function beginsWith({ columns }: TargetIndex, start: string[]): boolean {
  return start.every((column, at) => bare(column) === bare(columns[at] ?? ""));
}

function bare(column: string): string {
  return column.replace(/ .*/, "");
}

function quoted(names: string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`);
  const rest = names.length - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${count(rest)} more` : "");
}
