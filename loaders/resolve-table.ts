import { type Derivation, drop, type Reading, type TableDefinition } from "./define-loader.ts";
import { quoteIdentifier } from "./identifier.ts";
import { didYouMean } from "./nearest-name.ts";
import { type Lookup, lookupSql } from "./source/lookup.ts";
import type { SourceTable } from "./source/source-schema.ts";
import type { TargetColumn, TargetTable, TargetType } from "./target-table.ts";
import { TimeliftError } from "./timelift-error.ts";

/** One value of the source row on its way to one target column. */
export interface ResolvedColumn {
  /** The source column's name; null for a derived column. */
  source: string | null;
  /** The value as SQL over the source row: a quoted identifier, or what a derived column declares. */
  expression: string;
  /** Set where the value is another table's; `expression` says the same in plain SQL. */
  lookup: Lookup | null;
  target: string;
  type: TargetType;
  /** The target's type as PostgreSQL writes it. */
  typeText: string;
  nullable: boolean;
  /** How numbers become moments; null where the loader does not say. */
  reading: Reading | null;
  /** Whether an empty text becomes NULL where the target's type is no text. */
  emptyIsNull: boolean;
}

/** One value with what the loader says of it, before the target is known. */
export type MappedColumn = Pick<
  ResolvedColumn,
  "source" | "expression" | "lookup" | "target" | "reading" | "emptyIsNull"
>;

/** What a loader entry means once source and target are known. */
export interface ResolvedTable {
  target: string;
  source: SourceTable;
  /** In source column order, derived columns last. */
  columns: ResolvedColumn[];
  /** SQL condition over the source row, null for all rows. */
  where: string | null;
}

/** Every column that is not dropped, then every derived one, without knowing the target. */
export function mapColumns(definition: TableDefinition, sourceTable: SourceTable): MappedColumn[] {
  const rules = definition.columns ?? {};
  const names = sourceTable.columns.map((column) => column.name);
  for (const name of Object.keys(rules)) {
    if (!names.includes(name)) {
      throw new TimeliftError({
        code: "source-column-missing",
        subject: `source column ${sourceTable.name}.${name}`,
        problem: `the loader expects it, but the table has only: ${names.join(", ")}.${didYouMean(name, names)}`,
        remedy: "Mend the column's name in the loader, or point the source at the right file.",
      });
    }
  }
  const mapped = names.flatMap((name): MappedColumn[] => {
    const rule = rules[name] ?? definition.rest ?? name;
    if (rule === drop) return [];
    const { to = name, read = null, empty = "reject" } = typeof rule === "string" ? { to: rule } : rule;
    const expression = quoteIdentifier(name);
    return [
      { source: name, expression, lookup: null, target: to, reading: read, emptyIsNull: empty === "null" },
    ];
  });
  const derived = Object.entries(definition.derive ?? {}).map(([target, derivation]): MappedColumn => {
    const { read = null, empty = "reject" } = derivation;
    const value = derivedValue(derivation, sourceTable.name);
    return { source: null, ...value, target, reading: read, emptyIsNull: empty === "null" };
  });
  return [...mapped, ...derived];
}

function derivedValue(derivation: Derivation, of: string): Pick<MappedColumn, "expression" | "lookup"> {
  if (derivation.kind === "expression") return { expression: `(${derivation.sql})`, lookup: null };
  const { from, value } = derivation;
  const found: Lookup = { of, from, key: Object.entries(derivation.key), value };
  return { expression: lookupSql(found), lookup: found };
}

/**
 * Pairs every source column with a target column and its type. Two rules hold for all: a naive timestamp text is UTC,
 * and a date that lands in a timestamptz is midnight UTC.
 *
 * @throws TimeliftError source-column-missing, source-column-unplaced, target-column-missing, target-column-twice,
 * target-column-unfilled, target-column-generated, target-type-unsupported, reading-without-time
 */
export function resolveTable(
  definition: TableDefinition,
  sourceTable: SourceTable,
  target: Pick<TargetTable, "name" | "columns">,
): ResolvedTable {
  const byName = new Map(target.columns.map((column) => [column.name, column]));
  const columns = mapColumns(definition, sourceTable).map((pair): ResolvedColumn => {
    const column = byName.get(pair.target);
    if (column === undefined) throw missing(definition, sourceTable, target, pair);
    const type = writableType(target.name, column);
    if (pair.reading !== null) requireTime(target.name, column, type, pair);
    return {
      ...pair,
      type,
      typeText: column.typeText,
      nullable: column.nullable,
    };
  });
  requireEachOnce(target.name, columns);
  requireAllFilled(definition, target, new Set(columns.map((column) => column.target)));
  return { target: target.name, source: sourceTable, columns, where: definition.where ?? null };
}

function missing(
  definition: TableDefinition,
  sourceTable: SourceTable,
  target: Pick<TargetTable, "name" | "columns">,
  pair: MappedColumn,
): TimeliftError {
  const names = target.columns.map((column) => column.name);
  if (pair.source === null) {
    return new TimeliftError({
      code: "target-column-missing",
      subject: `target column ${target.name}.${pair.target}`,
      problem: `the loader derives it, but the table has only: ${names.join(", ")}.${didYouMean(pair.target, names)}`,
      remedy: `Mend the name in the loader's entry ${target.name}, derive, or add the column in a migration.`,
    });
  }
  if (definition.columns?.[pair.source] === undefined) {
    return new TimeliftError({
      code: "source-column-unplaced",
      subject: `source column ${sourceTable.name}.${pair.source}`,
      problem: `target table ${target.name} has no column of that name, and the loader neither maps nor drops it. The target has: ${names.join(", ")}.${didYouMean(pair.target, names)}`,
      remedy: `In the loader's entry ${target.name}, write columns: { ${pair.source}: "<target column>" }, or ${pair.source}: drop; rest: drop does so for every column not named.`,
    });
  }
  return new TimeliftError({
    code: "target-column-missing",
    subject: `target column ${target.name}.${pair.target}`,
    problem: `the loader maps ${sourceTable.name}.${pair.source} to it, but the table has only: ${names.join(", ")}.${didYouMean(pair.target, names)}`,
    remedy: "Mend the name in the loader, or add the column in a migration.",
  });
}

function writableType(table: string, column: TargetColumn): TargetType {
  if (column.generated) {
    throw new TimeliftError({
      code: "target-column-generated",
      subject: `target column ${table}.${column.name}`,
      problem: "the target computes it (GENERATED ALWAYS AS …), so nothing can be written there.",
      remedy: "Drop or do not derive it in the loader, or make the target column a plain one.",
    });
  }
  if (column.type === null) {
    throw new TimeliftError({
      code: "target-type-unsupported",
      subject: `target column ${table}.${column.name}`,
      problem: `timelift cannot write the type ${column.typeText}.`,
      remedy:
        "Use one of: text, varchar, boolean, smallint, integer, bigint, real, double precision, numeric, date, timestamp, timestamptz, uuid, json, jsonb, bytea.",
    });
  }
  return column.type;
}

function requireTime(table: string, column: TargetColumn, type: TargetType, { source }: MappedColumn): void {
  if (type.kind === "date" || type.kind === "timestamp" || type.kind === "timestamptz") return;
  throw new TimeliftError({
    code: "reading-without-time",
    subject: `target column ${table}.${column.name}`,
    problem: `the loader reads numbers of ${source ?? "its derivation"} as moments (read: …), but the column's type is ${column.typeText}.`,
    remedy:
      'Make the column a timestamptz, timestamp or date in a migration, or take "read" away in the loader.',
  });
}

function requireEachOnce(table: string, columns: ResolvedColumn[]): void {
  const from = new Map<string, string>();
  for (const column of columns) {
    const other = from.get(column.target);
    if (other !== undefined) {
      throw new TimeliftError({
        code: "target-column-twice",
        subject: `target column ${table}.${column.target}`,
        problem:
          column.source === null
            ? `source column ${other} is mapped to it, and the loader derives it too.`
            : `both source columns ${other} and ${column.source} are mapped to it.`,
        remedy:
          column.source === null
            ? `Drop the source column in the loader's entry ${table} (columns: { ${other}: drop }), map it elsewhere, or take the derivation away.`
            : "Map one of them elsewhere, or drop it.",
      });
    }
    from.set(column.target, column.source ?? column.target);
  }
}

function requireAllFilled(
  definition: TableDefinition,
  target: Pick<TargetTable, "name" | "columns">,
  filled: Set<string>,
): void {
  const absent = new Set(definition.absent ?? []);
  for (const name of absent) {
    if (!target.columns.some((column) => column.name === name)) {
      const names = target.columns.map((column) => column.name);
      throw new TimeliftError({
        code: "target-column-missing",
        subject: `target column ${target.name}.${name}`,
        problem: `the loader lists it as absent from the source, but the table has no such column.${didYouMean(name, names)}`,
        remedy: "Mend the name in the loader, or add the column in a migration.",
      });
    }
  }
  for (const column of target.columns) {
    if (filled.has(column.name) || column.generated || column.identity !== "no") continue;
    const unfillable = !column.nullable && !column.hasDefault;
    if (unfillable || !absent.has(column.name)) {
      throw new TimeliftError({
        code: "target-column-unfilled",
        subject: `target column ${target.name}.${column.name}`,
        problem: unfillable
          ? "it is NOT NULL without a default, and no source column lands there."
          : "no source column lands there, and the loader does not say so.",
        remedy: unfillable
          ? "Map a source column to it, derive it, or give it a default in a migration."
          : `Map a source column to it, derive it, or list it: absent: ["${column.name}"].`,
      });
    }
  }
}
