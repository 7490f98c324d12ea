import type { InspectedColumn } from "./inspect-table.ts";

/** What the loader has to declare for a column, as it is written there; null where nothing differs. */
export function loaderRule(column: InspectedColumn, target = column.name): string | null {
  const { unit, emptyIsNull } = column.suggestion;
  const parts: string[] = [];
  if (target !== column.name) parts.push(`to: ${JSON.stringify(target)}`);
  if (unit !== null) parts.push(`read: ${unit === "julianDay" ? "julianDay" : `epoch("${unit}")`}`);
  if (emptyIsNull) parts.push('empty: "null"');
  if (parts.length === 0) return null;
  return parts.length === 1 && target !== column.name ? JSON.stringify(target) : `{ ${parts.join(", ")} }`;
}

/** A name as the key of an object literal: bare where it may be. */
export function literalKey(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
