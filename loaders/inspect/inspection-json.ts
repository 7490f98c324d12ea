import type { Inspection } from "./inspect-source.ts";
import { findingsOf } from "./inspection-finding.ts";
import { loaderRule } from "./loader-rule.ts";

/**
 * An inspection as JSON. Integers beyond 2^53, infinities and blobs are texts there (`x'…'` for a blob), since JSON
 * has no exact form for them.
 */
export function inspectionJson(inspection: Inspection): string {
  const tables = inspection.tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) => ({ ...column, rule: loaderRule(column) })),
  }));
  return JSON.stringify({ ...inspection, tables, findings: findingsOf(inspection) }, jsonValue, 2);
}

function jsonValue(this: unknown, name: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[name];
  if (Buffer.isBuffer(raw)) return `x'${raw.toString("hex", 0, 64)}${raw.length > 64 ? "…" : ""}'`;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
