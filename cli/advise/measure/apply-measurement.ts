import type { HypertableAdvice, QueryAdvice, WorkloadAdvice } from "../advice.ts";
import type { MeasuredQuery, Measurement } from "./measurement.ts";

/** The advice with what a measurement says to it: what it does not bear out is withdrawn. */
export function applyMeasurement(
  advice: WorkloadAdvice,
  { tables, queries, ...measurement }: Measurement,
): WorkloadAdvice {
  return {
    ...advice,
    measurement,
    hypertables: advice.hypertables.map((each): HypertableAdvice => {
      const measured = tables.find(({ table }) => table === each.table);
      if (measured === undefined) return each;
      return { ...each, measured, config: measured.verdict?.status === "withdrawn" ? [] : each.config };
    }),
    queries: advice.queries.map((each): QueryAdvice => {
      const measured = queries.find(({ name }) => name === each.name);
      return measured === undefined ? each : { ...each, measured, sqliteWins: isFaster(measured) };
    }),
  };
}

/** Whether SQLite was faster than the server under either choice. */
function isFaster({ rows, sqliteMs, declaredMs, advisedMs }: MeasuredQuery): boolean {
  const server = [declaredMs, advisedMs].filter((ms) => ms !== null);
  return rows > 0 && server.length > 0 && sqliteMs < Math.min(...server);
}
