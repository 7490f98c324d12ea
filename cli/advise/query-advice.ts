import type { SqliteAnswer } from "../../loaders/survey/query-trial.ts";
import type { QueryAdvice } from "./advice.ts";

/** What a query takes that asks a server for a few rows by an index, at the least (docs/benchmarks.md). */
export const serverFloorMs = 0.5;

/** What is said of one of the application's queries, from SQLite's answer alone. */
export function adviseQuery(
  name: string,
  tables: string[],
  answer: SqliteAnswer | { error: string },
): QueryAdvice {
  if ("error" in answer) {
    const told = `nothing, SQLite refuses it: ${answer.error}`;
    return { name, tables, sqliteMs: null, rows: 0, answer: told, sqliteWins: false };
  }
  const { ms, rows, indexes, ordered, scans } = answer;
  const ways = [
    ...indexes.map((index) => `its index ${index}`),
    ...ordered.map(({ table, index }) => `reading ${table} in the order of ${index}`),
    ...scans.map((table) => `reading every row of ${table}`),
  ];
  return {
    ...{ name, tables, rows, answer: ways.join(", ") || "no table at all" },
    sqliteMs: ms,
    sqliteWins: rows > 0 && ms < serverFloorMs,
  };
}
