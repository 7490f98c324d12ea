import type { Inspection } from "./inspect-source.ts";
import { findingsOf } from "./inspection-finding.ts";
import { loaderRule } from "./loader-rule.ts";
import { type SuggestedTable, suggestTables } from "./suggest-table.ts";

/**
 * An inspection as JSON, with what it suggests for each table and column. Integers beyond 2^53, infinities and blobs
 * are texts there (`x'…'` for a blob), since JSON has no exact form for them.
 */
export function inspectionJson(inspection: Inspection): string {
  const suggestions = suggestTables(inspection.tables);
  const tables = inspection.tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) => ({ ...column, rule: loaderRule(column) })),
    suggestion: suggestionOf(suggestions.find(({ source }) => source === table)),
  }));
  return JSON.stringify({ ...inspection, tables, findings: findingsOf(inspection) }, jsonValue, 2);
}

/** Null for a view and whatever else is not suggested for the target. */
function suggestionOf(table: SuggestedTable | undefined): object | null {
  if (table === undefined) return null;
  const { target, columns, primary, unique, references, indexes, hypertable, notes } = table;
  const named = columns.flatMap((column) =>
    column.target === null ? [] : [[column.target, column.type + column.constraints]],
  );
  return {
    target,
    columns: Object.fromEntries(named),
    primary,
    unique,
    references,
    indexes,
    hypertable,
    notes,
  };
}

function jsonValue(this: unknown, name: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[name];
  if (Buffer.isBuffer(raw)) return `x'${raw.toString("hex", 0, 64)}${raw.length > 64 ? "…" : ""}'`;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
