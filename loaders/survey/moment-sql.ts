import type { Reading } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";

const units = { s: 1, ms: 1e3, us: 1e6 } as const;

/**
 * SQL of SQLite that gives a column's moment in seconds since 1970: of an ISO text, UTC where it names no offset; of a
 * number, and of a text that is one, by the loader's reading. NULL for whatever else the column holds.
 */
export function momentSql(column: string, reading: Reading | null): string {
  const name = quoteIdentifier(column);
  const text = `unixepoch(${name})`;
  if (reading === null) return `CASE typeof(${name}) WHEN 'text' THEN ${text} END`;
  const number =
    reading.kind === "epoch" ? `${name} * 1.0 / ${units[reading.unit]}` : `(${name} - 2440587.5) * 86400.0`;
  return `CASE typeof(${name}) WHEN 'null' THEN NULL WHEN 'blob' THEN NULL
    WHEN 'text' THEN CASE WHEN ${name} GLOB '*[^-+.0-9eE]*' OR ${name} GLOB '????-??-??' THEN ${text} ELSE ${number} END
    ELSE ${number} END`;
}
