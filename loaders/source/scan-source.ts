import { type LoaderDefinition, loadedEntries } from "../define-loader.ts";
import { type LoadPlan, type Part, sourceRows, type TablePlan } from "../load-result.ts";
import { openSource, requireSound } from "./open-source.ts";
import { rowCount } from "./row-count.ts";
import { openSnapshot, type Snapshot } from "./snapshot.ts";
import { SourceReader } from "./source-reader.ts";
import { readSourceSchema, type SourceSchema } from "./source-schema.ts";
import { requireStill, SourceMoved } from "./still-source.ts";
import { type PlannedRead, planRead } from "./table-read.ts";
import type { Verification } from "./verify-parts.ts";

/** What a scan needs; nothing of it is a connection. */
export interface ScanSourceArgs {
  /** Path of the SQLite file. */
  source: string;
  /** Where the private copy is kept (`openSnapshot`). */
  copyPath: string;
  loader: LoaderDefinition;
  /** Parts of the last load, by target table; leave out for a first load. */
  previous?: Record<string, Part[]>;
  /**
   * Fingerprint of the source at the last load. When it still holds and `previous` knows every table, nothing is read.
   * Leave it out when the loader changed since.
   */
  previousFingerprint?: string;
}

/** A loader entry with how its source table is read. */
export interface PlannedSource {
  reads: PlannedRead[];
  /** The same of the loader's bystanders. */
  bystanders: PlannedRead[];
  schema: SourceSchema;
  /** Source tables that no entry names. */
  ignored: string[];
}

/**
 * Finds what a load would do, from the source alone.
 * @throws TimeliftError as `openSnapshot`; also source-table-missing, source-column-missing
 */
export async function scanSource(args: ScanSourceArgs): Promise<LoadPlan> {
  try {
    return await scan(args, await openSnapshot(args.source, args.copyPath, { inPlace: true }));
  } catch (error) {
    if (!(error instanceof SourceMoved)) throw error;
    return scan(args, await openSnapshot(args.source, args.copyPath));
  }
}

async function scan(args: ScanSourceArgs, { path, fingerprint, mark }: Snapshot): Promise<LoadPlan> {
  const { reads, ignored } = planSource(path, args.loader);
  const tables: Record<string, TablePlan> = {};
  const untouched =
    fingerprint === args.previousFingerprint &&
    reads.every(({ target }) => args.previous?.[target] !== undefined);
  if (mark !== null && !untouched) requireSound(path);
  const reader = untouched ? null : new SourceReader(path);
  try {
    for (const planned of reads) {
      const parts = args.previous?.[planned.target] ?? [];
      tables[planned.target] = reader === null ? unchanged(parts) : await planTable(reader, planned, parts);
    }
  } finally {
    await reader?.close();
  }
  requireStill(mark);
  return { fingerprint, tables, ignored };
}

/** Reads a copy's schema and decides how every loader entry is read; target-only ones are not. */
export function planSource(copyPath: string, loader: LoaderDefinition): PlannedSource {
  const source = openSource(copyPath);
  try {
    const schema = readSourceSchema(source);
    const plan = (tables: LoaderDefinition["tables"]) =>
      loadedEntries({ tables }).map(([target, definition]) => planRead(source, target, definition, schema));
    const reads = plan(loader.tables);
    const named = new Set(reads.map(({ read }) => read.table));
    const ignored = [...schema.keys()].filter((name) => !named.has(name));
    return { reads, bystanders: plan(loader.bystanders ?? {}), schema, ignored };
  } finally {
    source.close();
  }
}

function unchanged(parts: Part[]): TablePlan {
  return { rows: parts.reduce((sum, part) => sum + sourceRows(part), 0), change: "unchanged", parts };
}

async function planTable(
  reader: SourceReader,
  { read, seed }: PlannedRead,
  parts: Part[],
): Promise<TablePlan> {
  if (parts.length === 0) {
    const rows = await reader.count(read);
    return { rows, change: rows === 0 ? "no rows" : `${rowCount(rows)} to load`, parts: [] };
  }
  const verification = await reader.verify(read, parts, seed);
  return {
    rows: verification.rows,
    change: describeChange(parts, verification, read.watermark?.kind === "updatedAt"),
    parts: parts.filter((_, i) => verification.held[i]),
  };
}

/** One line for a reviewer. */
function describeChange(parts: Part[], found: Verification, updates: boolean): string {
  const lines: string[] = [];
  if (found.beyond > 0)
    lines.push(updates ? `${rowCount(found.beyond)} new or updated` : `+${rowCount(found.beyond)}`);
  const changed = parts.filter((_, i) => !found.held[i]);
  if (changed.length > 0) {
    const balance = found.changedRows - changed.reduce((sum, part) => sum + sourceRows(part), 0);
    const rows =
      balance === 0 ? "same number of rows" : `${balance > 0 ? "+" : "-"}${rowCount(Math.abs(balance))}`;
    lines.push(`${changed.length} of ${parts.length} part${parts.length === 1 ? "" : "s"} changed (${rows})`);
  }
  return lines.join("; ") || "unchanged";
}
