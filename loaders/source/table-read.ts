import { full, sourceNameOf, type TableDefinition } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import { didYouMean } from "../nearest-name.ts";
import { mapColumns } from "../resolve-table.ts";
import { TimeliftError } from "../timelift-error.ts";
import { requireDerivable } from "./derivations.ts";
import type { Source } from "./open-source.ts";
import { digestSeed } from "./row-digest.ts";
import { findSourceTable, type SourceSchema, type SourceTable } from "./source-schema.ts";
import type { TableRead } from "./table-reader.ts";

/** How one loader entry reads its source table. */
export interface PlannedRead {
  target: string;
  read: TableRead;
  /** Seed of its digests. */
  seed: string;
}

/**
 * Decides how a loader entry's source table is read.
 * @throws TimeliftError source-column-missing, change-column-dropped, source-condition, and as `requireDerivable`
 */
export function planRead(
  source: Source,
  target: string,
  definition: TableDefinition,
  schema: SourceSchema,
): PlannedRead {
  const table = findSourceTable(schema, sourceNameOf(target, definition));
  requireDerivable(source, schema, { target, definition, table });
  const pairs = mapColumns(definition, table);
  const columns = pairs.map(({ source: name, expression, lookup }) => ({ name, expression, lookup }));
  const change = definition.change ?? full;
  const watermark =
    change.kind === "full"
      ? null
      : {
          kind: change.kind,
          column: knownColumn(table, change.kind === "append" ? change.key : change.column),
        };
  const appendsByRowid = watermark?.kind === "append" && isRowid(table, watermark.column);
  if (
    watermark?.kind === "append" &&
    !appendsByRowid &&
    !columns.some(({ name }) => name === watermark.column)
  ) {
    throw new TimeliftError({
      code: "change-column-dropped",
      subject: `source column ${table.name}.${watermark.column}`,
      problem: "the loader drops it, but finds new rows by it (append).",
      remedy: "Keep the column, or leave the change rule out: then every row is compared.",
    });
  }
  const inRanges = watermark?.kind !== "append" || appendsByRowid;
  const read: TableRead = {
    table: table.name,
    rowid: inRanges && hasSafeRowids(source, table) ? table.rowid : null,
    columns,
    primaryKey: table.primaryKey,
    where: definition.where ?? null,
    watermark,
  };
  requireValidCondition(source, read);
  return {
    target,
    read,
    seed: digestSeed(target, read, pairs),
  };
}

function knownColumn(table: SourceTable, name: string): string {
  const names = table.columns.map((column) => column.name);
  if (names.includes(name)) return name;
  throw new TimeliftError({
    code: "source-column-missing",
    subject: `source column ${table.name}.${name}`,
    problem: `the loader's change rule names it, but the table has only: ${names.join(", ")}.${didYouMean(name, names)}`,
    remedy: "Mend the column's name in the loader.",
  });
}

/** An INTEGER PRIMARY KEY is the rowid under another name. */
function isRowid(table: SourceTable, column: string): boolean {
  const type = table.columns.find((each) => each.name === column)?.declaredType.toUpperCase();
  return (
    table.rowid !== null &&
    table.primaryKey.length === 1 &&
    table.primaryKey[0] === column &&
    type === "INTEGER"
  );
}

/** Parts keep rowids as JavaScript numbers; a table with rowids beyond 2^53 is one part. */
function hasSafeRowids(source: Source, table: SourceTable): boolean {
  if (table.rowid === null) return false;
  const of = (extreme: string) =>
    source
      .prepare(`SELECT ${extreme}(${table.rowid}) FROM ${quoteIdentifier(table.name)}`)
      .pluck()
      .get() as bigint | null;
  return [of("min"), of("max")].every((rowid) => rowid === null || Number.isSafeInteger(Number(rowid)));
}

function requireValidCondition(source: Source, read: TableRead): void {
  if (read.where === null) return;
  try {
    source.prepare(`SELECT 1 FROM ${quoteIdentifier(read.table)} WHERE (${read.where})`);
  } catch (error) {
    throw new TimeliftError({
      code: "source-condition",
      subject: `loader condition on ${read.table}`,
      problem: `SQLite refuses "${read.where}": ${(error as Error).message}.`,
      remedy: 'Mend "where" in the loader; it is SQL over one source row.',
      cause: error,
    });
  }
}
