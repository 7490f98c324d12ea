import type { Source } from "../source/open-source.ts";
import { sidecarPrefix } from "./sidecar-names.ts";
import type { Spellings } from "./spelling.ts";

/** One object of a source's schema, with the SQL that makes it. */
export interface SchemaObject {
  type: "table" | "index" | "view" | "trigger";
  name: string;
  table: string;
  sql: string;
}

/** What makes a SQLite file the application's own, apart from its rows. */
export interface RecordedSchema {
  applicationId: number;
  userVersion: number;
  encoding: string;
  pageSize: number;
  journalMode: string;
  autoVacuum: number;
  /** In the order of the file; what SQLite makes by itself is left out. */
  objects: SchemaObject[];
  /** AUTOINCREMENT table -> the largest id ever given, as text. */
  sequences: Record<string, string>;
}

/** How the columns of one target table are spelled in the source. */
export interface TableSpellings {
  /** Rows of the source table that were looked at, and those that it has. */
  looked: number;
  rows: number;
  /** By target column; columns that have but one spelling are left out. */
  columns: Record<string, Spellings>;
}

/** All that has to be known of a source to write it again from the target. */
export interface SourceRecord {
  /** Fingerprint of the state that it was read from. */
  fingerprint: string;
  schema: RecordedSchema;
  /** Target table -> how its columns are spelled. */
  spellings: Record<string, TableSpellings>;
}

/** Reads a source's schema, as SQLite keeps it. */
export function readRecordedSchema(source: Source): RecordedSchema {
  const pragma = (name: string) => source.pragma(name, { simple: true });
  const shadows = new Set(
    source
      .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'")
      .pluck()
      .all(),
  );
  const objects = source
    .prepare(
      'SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid',
    )
    .all() as SchemaObject[];
  const hasSequences = source.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get();
  const sequences = hasSequences
    ? (source.prepare("SELECT name, CAST(seq AS TEXT) AS seq FROM sqlite_sequence").all() as {
        name: string;
        seq: string;
      }[])
    : [];
  return {
    applicationId: Number(pragma("application_id")),
    userVersion: Number(pragma("user_version")),
    encoding: String(pragma("encoding")),
    pageSize: Number(pragma("page_size")),
    journalMode: String(pragma("journal_mode")),
    autoVacuum: Number(pragma("auto_vacuum")),
    objects: objects.filter(
      ({ name, table }) =>
        !name.startsWith("sqlite_") &&
        !table.startsWith(sidecarPrefix) &&
        !name.startsWith(sidecarPrefix) &&
        !shadows.has(name) &&
        !shadows.has(table),
    ),
    sequences: Object.fromEntries(
      sequences.filter(({ name }) => !name.startsWith(sidecarPrefix)).map(({ name, seq }) => [name, seq]),
    ),
  };
}
