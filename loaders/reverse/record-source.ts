import type { ResolvedTable } from "../resolve-table.ts";
import { openSource } from "../source/open-source.ts";
import { learnSpellings } from "./learn-spellings.ts";
import { readRecordedSchema, type SourceRecord } from "./source-record.ts";

/**
 * Reads from a source what it takes to write it again: its schema, and how each loaded column is spelled. What an earlier
 * record knows of other tables stays. `wal`: whether the source is in WAL mode, where `path` is a copy, which never is.
 */
export function recordSource(
  path: string,
  fingerprint: string,
  tables: { name: string; resolved: ResolvedTable }[],
  { before, wal }: { before?: SourceRecord; wal?: boolean } = {},
): SourceRecord {
  const source = openSource(path);
  try {
    const learned = tables.map(({ name, resolved }) => [name, learnSpellings(source, resolved)] as const);
    const spellings = { ...before?.spellings, ...Object.fromEntries(learned) };
    const schema = readRecordedSchema(source);
    const journalMode = wal === undefined ? schema.journalMode : wal ? "wal" : "delete";
    return { fingerprint, schema: { ...schema, journalMode }, spellings };
  } finally {
    source.close();
  }
}
