import type { Derivation, TableDefinition } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import { didYouMean } from "../nearest-name.ts";
import { TimeliftError } from "../timelift-error.ts";
import { ambiguousKey } from "./lookup.ts";
import type { Source } from "./open-source.ts";
import { findSourceTable, type SourceSchema, type SourceTable } from "./source-schema.ts";

/** A loader entry with the table it reads. */
interface Entry {
  target: string;
  definition: TableDefinition;
  table: SourceTable;
}

/**
 * Makes sure that SQLite can work out every derived column of an entry.
 * @throws TimeliftError derivation-unclear, derivation-refused, lookup-table, lookup-column, lookup-ambiguous
 */
export function requireDerivable(source: Source, schema: SourceSchema, entry: Entry): void {
  for (const [column, derivation] of Object.entries(entry.definition.derive ?? {})) {
    const at: Place = { ...entry, column };
    if (typeof derivation !== "object") throw unclear(at, derivation);
    if (derivation.kind === "expression") requireExpression(source, at, derivation.sql);
    else requireLookup(source, schema, at, derivation);
  }
}

interface Place extends Entry {
  column: string;
}

/** In a condition SQLite refuses what is no value of one row: aggregates, windows, several columns. */
function requireExpression(source: Source, at: Place, sql: string): void {
  try {
    source.prepare(`SELECT 1 FROM ${quoteIdentifier(at.table.name)} WHERE (${sql}) IS NULL LIMIT 0`).get();
  } catch (error) {
    throw derivationError("derivation-refused", at, {
      problem: `SQLite refuses "${sql}" over a row of ${at.table.name}: ${(error as Error).message}.`,
      remedy: `Mend the SQL in ${entryOf(at)}; it is one value, worked out from one source row, without parameters.`,
      cause: error,
    });
  }
}

function requireLookup(
  source: Source,
  schema: SourceSchema,
  at: Place,
  { from, key, value }: Extract<Derivation, { kind: "lookup" }>,
): void {
  const remedy = `Mend lookup("${from}", …) in ${entryOf(at)}.`;
  if (![...schema.keys()].some((name) => name.toLowerCase() === from.toLowerCase())) {
    const names = [...schema.keys()];
    throw derivationError("lookup-table", at, {
      problem: `it is looked up in ${from}, and the source has no such table or view. It has: ${names.join(", ")}.${didYouMean(from, names)}`,
      remedy,
    });
  }
  const found = findSourceTable(schema, from);
  const requireColumn = (table: SourceTable, name: string, role: string) => {
    const names = table.columns.map((column) => column.name);
    if (names.some((each) => each.toLowerCase() === name.toLowerCase())) return;
    throw derivationError("lookup-column", at, {
      problem: `${role} ${table.name}.${name}, and that table has only: ${names.join(", ")}.${didYouMean(name, names)}`,
      remedy,
    });
  };
  const pairs = Object.entries(key);
  if (pairs.length === 0) {
    throw derivationError("lookup-column", at, {
      problem: `it is looked up in ${from} by no key, so every row would find the same one.`,
      remedy: `Name the key in ${entryOf(at)}: lookup("${from}", { <its column>: "<column of ${at.table.name}>" }, "${value}").`,
    });
  }
  for (const [its, own] of pairs) {
    requireColumn(found, its, "it is looked up by");
    requireColumn(at.table, own, "it is looked up with");
  }
  requireColumn(found, value, "it is the value of");
  const ambiguous = ambiguousKey(source, { of: at.table.name, from, key: pairs, value });
  if (ambiguous === undefined) return;
  const columns = pairs.map(([its]) => its).join(", ");
  throw derivationError("lookup-ambiguous", at, {
    problem: `several rows of ${found.name} have (${columns}) = (${ambiguous}) and do not agree on ${value}.`,
    remedy: `Mend those rows in the source, or say which counts: expression("(SELECT … ORDER BY … LIMIT 1)") in ${entryOf(at)}.`,
  });
}

function unclear(at: Place, found: unknown): TimeliftError {
  return derivationError("derivation-unclear", at, {
    problem: `the loader gives ${JSON.stringify(found)} for it, which may be meant as SQL or as a text.`,
    remedy: `Write expression(…) or lookup(…) in ${entryOf(at)}; a fixed text is expression("'…'").`,
  });
}

function entryOf({ target, column }: Place): string {
  return `the loader's entry ${target}, derive.${column}`;
}

function derivationError(
  code: string,
  { target, column }: Place,
  parts: { problem: string; remedy: string; cause?: unknown },
): TimeliftError {
  return new TimeliftError({ code, subject: `target column ${target}.${column}`, ...parts });
}
