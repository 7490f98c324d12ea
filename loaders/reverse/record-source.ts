import type { ResolvedTable } from "../resolve-table.ts";
import { openSource } from "../source/open-source.ts";
import { learnSpellings } from "./learn-spellings.ts";
import { readRecordedSchema, type SourceRecord } from "./source-record.ts";

/**
 * Reads from a source what it takes to write it again: its schema, and how each loaded column is spelled. What an earlier
 * record knows of other tables stays.
 */
export function recordSource(
  path: string,
  fingerprint: string,
  tables: { name: string; resolved: ResolvedTable }[],
  before?: SourceRecord,
): SourceRecord {
  const source = openSource(path);
  try {
    const learned = tables.map(({ name, resolved }) => [name, learnSpellings(source, resolved)] as const);
    const spellings = { ...before?.spellings, ...Object.fromEntries(learned) };
    return { fingerprint, schema: readRecordedSchema(source), spellings };
  } finally {
    source.close();
  }
}
