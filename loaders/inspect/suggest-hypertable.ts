import type { SuggestedColumn, SuggestedTable } from "./suggest-table.ts";
import { momentUnit } from "./value-form.ts";

/** How a table becomes a hypertable. */
export interface SuggestedHypertable {
  /** Target column, never NULL. */
  time: string;
  /** The words for one chunk's span: unit and amount. */
  chunk: { unit: "days" | "months" | "years"; amount: number };
  /** Its primary key, which includes the time column; empty for none. */
  primary: string[];
}

/** Below that a hypertable gains nothing. */
const enoughRows = 1000;
/** About what a chunk should hold. */
const chunkRows = 1_000_000;
const dayMs = 86_400_000;
const spans = [
  { unit: "days", amount: 1, days: 1 },
  { unit: "days", amount: 7, days: 7 },
  { unit: "months", amount: 1, days: 30.4 },
  { unit: "months", amount: 3, days: 91.3 },
  { unit: "years", amount: 1, days: 365.2 },
] as const;

/**
 * A table with many rows and one obvious column of time becomes a hypertable: the time that a key names, else the only
 * one that is no mark of when a row was written. The column becomes a timestamptz.
 */
export function suggestHypertable(table: SuggestedTable): SuggestedHypertable | null {
  if (table.source.rows < enoughRows) return null;
  const times = table.columns.filter(isTime);
  const keys = [table.source.primaryKey, ...table.source.unique];
  const inKey = times.find((column) => keys.some((names) => names.includes(column.source.name)));
  const events = times.filter(
    (column) => !/^(created|updated|modified|inserted|deleted)/i.test(column.source.name),
  );
  const only = events.length === 1 ? events[0] : times.length === 1 ? times[0] : undefined;
  const time = inKey ?? only;
  if (time?.target == null) return null;
  const key = keys.find((names) => names.includes(time.source.name) && isFilled(table, names));
  const targets = (names: string[]) =>
    names.flatMap((name) => table.columns.find((column) => column.source.name === name)?.target ?? []);
  const own = isFilled(table, table.source.primaryKey) ? table.source.primaryKey : [];
  const primary = key ? targets(key) : own.length > 0 ? [...targets(own), time.target] : [];
  time.type = "timestamptz";
  return { time: time.target, chunk: chunkOf(table.source.rows, time), primary };
}

function isTime(column: SuggestedColumn): boolean {
  const { counts, unfit, warnings } = column.source;
  const { emptyIsNull } = column.source.suggestion;
  const type = column.type === "timestamptz" || column.type === "date";
  return type && !emptyIsNull && counts?.null === 0 && unfit === null && warnings.length === 0;
}

/** Whether every column of a key always holds a value, as a primary key asks for. */
function isFilled(table: SuggestedTable, names: string[]): boolean {
  return names.every((name) => {
    const column = table.columns.find((each) => each.source.name === name)?.source;
    const { counts = null, suggestion } = column ?? {};
    return counts?.null === 0 && counts.longest < 2000 && suggestion?.emptyIsNull === false;
  });
}

/** The longest span that holds no more rows than suits a chunk. */
function chunkOf(rows: number, time: SuggestedColumn): SuggestedHypertable["chunk"] {
  const first = momentOf(time.source.counts?.min);
  const last = momentOf(time.source.counts?.max);
  const days = first === null || last === null ? 365 : Math.max(1, (last - first) / dayMs);
  const fitting = spans.filter((span) => (rows / days) * span.days <= chunkRows);
  const { unit, amount } = fitting.at(-1) ?? spans[0];
  return { unit, amount };
}

/** Milliseconds since 1970 of a value as it is stored. */
function momentOf(value: unknown): number | null {
  if (typeof value === "string") {
    const ms = Date.parse(`${value.slice(0, 10)}T00:00:00Z`);
    return Number.isNaN(ms) ? null : ms;
  }
  if (typeof value !== "bigint" && typeof value !== "number") return null;
  const number = Number(value);
  const unit = momentUnit(number);
  if (unit === null) return null;
  if (unit === "julianDay") return (number - 2440587.5) * dayMs;
  return unit === "s" ? number * 1000 : unit === "ms" ? number : number / 1000;
}
