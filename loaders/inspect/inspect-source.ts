import { statSync } from "node:fs";
import { quoteIdentifier } from "../identifier.ts";
import { didYouMean } from "../nearest-name.ts";
import { openSource, type Source } from "../source/open-source.ts";
import { readSourceSchema, type SourceSchema, type SourceTable } from "../source/source-schema.ts";
import { TimeliftError } from "../timelift-error.ts";
import { type InspectedColumn, type InspectOptions, inspectColumns } from "./inspect-table.ts";
import { countOrphans, readIndexes, type SourceIndex } from "./source-index.ts";

/** One table or view, as it is. */
export interface InspectedTable extends Omit<SourceTable, "columns"> {
  rows: number;
  /** Rows that were read one by one; the same as `rows` unless the table is large. */
  rowsRead: number;
  columns: InspectedColumn[];
  indexes: SourceIndex[];
  /** Rows whose foreign key leads nowhere, in the order of `foreignKeys`; null where SQLite cannot tell. */
  orphans: (number | null)[];
  /** Bytes on disk, without its indexes; null for a view, or where SQLite does not tell. */
  bytes: number | null;
  /** Why it cannot be read, null when it can. */
  error: string | null;
}

/** What a source holds. */
export interface Inspection {
  /** The file, as it was named. */
  source: string;
  bytes: number;
  encoding: string;
  tables: InspectedTable[];
}

/** What to look at, and how closely. */
export interface InspectSourceOptions extends InspectOptions {
  /**
   * The only table or view to look at.
   * @default all of them
   */
  table?: string;
  /**
   * How the file is called in what is said of it.
   * @default the path
   */
  name?: string;
}

/**
 * Looks at every value of a source's tables (of large ones, at an evenly spread sample), and says what suits them.
 * Reads only; give it a private copy (`openSnapshot`) of a file that others write.
 *
 * @param options.opened told as soon as the file is open, and its path needed no more
 * @throws TimeliftError as `openSource`; also source-table-missing
 */
export function inspectSource(
  path: string,
  options: InspectSourceOptions & { opened?: () => void } = {},
): Inspection {
  const source = openSource(path);
  try {
    const bytes = statSync(path).size;
    options.opened?.();
    const schema = readSourceSchema(source);
    const tables = chosenTables(schema, options.table);
    return {
      source: options.name ?? path,
      bytes,
      encoding: source.pragma("encoding", { simple: true }) as string,
      tables: tables.map((table) => inspectTable(source, table, options.sampleRows ?? 200_000)),
    };
  } finally {
    source.close();
  }
}

function chosenTables(schema: SourceSchema, name: string | undefined): SourceTable[] {
  if (name === undefined) return [...schema.values()];
  const found =
    schema.get(name) ?? [...schema.values()].find((table) => table.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return [found];
  throw new TimeliftError({
    code: "source-table-missing",
    subject: `source table ${name}`,
    problem: `the source has no such table or view. It has: ${[...schema.keys()].join(", ")}.${didYouMean(name, schema.keys())}`,
    remedy: "Name one of them with --table, or leave --table out for all.",
  });
}

function inspectTable(source: Source, table: SourceTable, limit: number): InspectedTable {
  const unknown = { ...table, rows: 0, rowsRead: 0, columns: [], indexes: [], orphans: [], bytes: null };
  if (table.broken !== undefined) return { ...unknown, error: table.broken };
  try {
    const rows = Number(
      source
        .prepare(`SELECT count(*) FROM ${quoteIdentifier(table.name)}`)
        .pluck()
        .get(),
    );
    const partial = rows > limit;
    const { columns, rowsRead } = inspectColumns(source, table, { rows, partial }, limit);
    const isTable = table.kind === "table";
    const orphans = isTable && table.foreignKeys.length > 0 ? countOrphans(source, table.name) : new Map();
    return {
      ...table,
      rows,
      rowsRead,
      columns,
      indexes: isTable ? readIndexes(source, table.name) : [],
      orphans: table.foreignKeys.map((_, i) => (orphans === null ? null : (orphans.get(i) ?? 0))),
      bytes: isTable ? bytesOf(source, table.name) : null,
      error: null,
    };
  } catch (error) {
    const { code } = error as { code?: string };
    if (typeof code !== "string" || !/^SQLITE_(ERROR|MISMATCH|TOOBIG|CONSTRAINT)/.test(code)) throw error;
    return { ...unknown, error: (error as Error).message };
  }
}

/** The pages of the table itself, where this SQLite can tell. */
function bytesOf(source: Source, table: string): number | null {
  try {
    const bytes = source
      .prepare("SELECT pgsize FROM dbstat WHERE name = ? AND aggregate = 1")
      .pluck()
      .get(table);
    return bytes === undefined || bytes === null ? null : Number(bytes);
  } catch {
    return null;
  }
}
