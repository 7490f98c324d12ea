import type { Source } from "../source/open-source.ts";
import { queryConditions } from "./query-conditions.ts";

/** How SQLite answers a query. */
export interface SqliteAnswer {
  /** Milliseconds with the time to fetch the rows, warm: the median of up to five. */
  ms: number;
  rows: number;
  /** `idx_symbol_date (symbol=? AND date>?)`: the indexes that it searches. */
  indexes: string[];
  /** Tables that it reads from one end, with the index in whose order it does. */
  ordered: { table: string; index: string }[];
  /** Tables that it reads from the first row to the last. */
  scans: string[];
}

const repeats = 5;
/** A query that takes longer is not asked again. */
const patienceMs = 1000;

/**
 * Asks a source one of its application's queries.
 * @returns why not, where SQLite refuses it
 */
export function trySqlite(source: Source, sql: string): SqliteAnswer | { error: string } {
  try {
    const statement = source.prepare(sql).raw();
    if (!statement.readonly) return { error: "it writes" };
    const times: number[] = [];
    let rows = 0;
    let total = 0;
    for (let repeat = 0; repeat <= repeats && total < patienceMs; repeat += 1) {
      const start = performance.now();
      rows = statement.all().length;
      times.push(performance.now() - start);
      total += times.at(-1) ?? 0;
    }
    const warm = (times.length > 1 ? times.slice(1) : times).sort((a, b) => a - b);
    return { ms: warm[Math.floor(warm.length / 2)] ?? 0, rows, ...planOf(source, sql) };
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith("SQLITE_")) throw error;
    return { error: (error as Error).message };
  }
}

function planOf(source: Source, sql: string): Pick<SqliteAnswer, "indexes" | "ordered" | "scans"> {
  const { names } = queryConditions(sql);
  const steps = source.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
  const indexes = new Set<string>();
  const ordered: SqliteAnswer["ordered"] = [];
  const scans = new Set<string>();
  const made = new Set<string>();
  for (const { detail } of steps) {
    const subquery = /^(?:CO-ROUTINE|MATERIALIZE) (.+)$/.exec(detail)?.[1];
    if (subquery !== undefined) made.add(subquery);
    const search =
      /^SEARCH \S+ USING (?:(?:COVERING )?INDEX (\S+)|(INTEGER PRIMARY KEY)|(PRIMARY KEY)) (\(.*\))/.exec(
        detail,
      );
    if (search) indexes.add(`${search[1] ?? (search[2] ? "rowid" : "primary key")} ${search[4]}`);
    const [, scan, inOrder] = /^SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?/.exec(detail) ?? [];
    if (scan !== undefined && inOrder !== undefined)
      ordered.push({ table: names[scan] ?? scan, index: inOrder });
    else if (scan !== undefined && !scan.startsWith("(") && !made.has(scan) && !/^SCAN \d/.test(detail)) {
      scans.add(names[scan] ?? scan);
    }
  }
  return { indexes: [...indexes], ordered, scans: [...scans] };
}
