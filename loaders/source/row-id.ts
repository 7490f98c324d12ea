import { createHash } from "node:crypto";

/**
 * What a row is known by: its rowid, or, in tables that are not read by rowid, the digest of its values. Rows with equal
 * values are one and the same to whoever reads them.
 */
export type RowId = number | string;

/** The digest of a row's values, each with its SQLite class. */
export function valuesId(values: readonly (null | bigint | number | string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const value of values) hash.update(`${literal(value)}\n`);
  return hash.digest("hex").slice(0, 32);
}

function literal(value: null | bigint | number | string | Uint8Array): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return `integer ${value}`;
  if (typeof value === "number") return `real ${Object.is(value, -0) ? "-0" : value}`;
  return typeof value === "string" ? JSON.stringify(value) : `blob ${Buffer.from(value).toString("hex")}`;
}
