import type { Reading } from "../define-loader.ts";

const units = { s: 1, ms: 1e3, us: 1e6 } as const;

/**
 * SQL of SQLite that gives a value's moment in seconds since 1970: of an ISO text, UTC where it names no offset; of a
 * number, and of a text that is one, by the loader's reading. NULL for whatever else it may be.
 *
 * @param value SQL over the source row
 */
export function momentSql(value: string, reading: Reading | null): string {
  const text = `unixepoch(${value})`;
  if (reading === null) return `CASE typeof(${value}) WHEN 'text' THEN ${text} END`;
  const number =
    reading.kind === "epoch" ? `${value} * 1.0 / ${units[reading.unit]}` : `(${value} - 2440587.5) * 86400.0`;
  return `CASE typeof(${value}) WHEN 'null' THEN NULL WHEN 'blob' THEN NULL
    WHEN 'text' THEN CASE WHEN ${value} GLOB '*[^-+.0-9eE]*' OR ${value} GLOB '????-??-??' THEN ${text} ELSE ${number} END
    ELSE ${number} END`;
}
