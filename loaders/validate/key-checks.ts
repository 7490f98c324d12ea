import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import type { Check } from "../validation-report.ts";
import { type ComparedTable, targetSql } from "./compared-table.ts";
import { stopwatch } from "./stopwatch.ts";
import { count } from "./table-content.ts";

/** Whether the target keeps the table's rows apart: a primary key, or, where there is none, no value twice. */
export async function checkPrimaryKey(table: ComparedTable, client: pg.ClientBase): Promise<Check> {
  const ms = stopwatch();
  const { primaryKey } = table.target;
  const name = `${table.name} primary key`;
  const wholeRow = table.key.length === table.resolved.columns.length;
  const columns = table.key.map((index) => table.resolved.columns[index]?.target ?? "");
  if (primaryKey.length > 0) {
    return { name, status: "PASS", expected: "present", actual: `(${primaryKey.join(", ")})`, ms: ms() };
  }
  if (wholeRow && table.resolved.source.primaryKey.length === 0) {
    const note = "the source has no primary key either";
    return { name, status: "SKIP", expected: "present", actual: "none", note, ms: ms() };
  }
  const isUnique = table.target.uniqueKeys.some((key) => key.join("\0") === columns.join("\0"));
  const twice = wholeRow ? undefined : isUnique ? 0 : await valuesTwice(table, columns, client);
  return {
    name,
    status: "FAIL",
    expected: "present",
    actual: "none",
    note:
      twice === undefined
        ? "add it in an after-load migration"
        : `(${columns.join(", ")}) holds ${twice === 0 ? "no value twice" : `${count(twice)} ${twice === 1 ? "value" : "values"} more than once`}`,
    ms: ms(),
  };
}

async function valuesTwice(table: ComparedTable, columns: string[], client: pg.ClientBase): Promise<number> {
  const list = columns.map(quoteIdentifier).join(", ");
  const { rows } = await client.query<{ twice: string }>(
    `SELECT count(*)::text AS twice
     FROM (SELECT 1 FROM ${targetSql(table)} GROUP BY ${list} HAVING count(*) > 1) AS groups`,
  );
  return Number(rows[0]?.twice);
}

/** A reference between target tables. */
interface Reference {
  columns: string[];
  /** The referenced table in SQL. */
  parent: string;
  parentColumns: string[];
  /** Whether the target itself declares it. */
  enforced: boolean;
  /** Whether the target has made sure of every row: then there is nothing left to look for. */
  validated: boolean;
}

/**
 * Counts rows without a parent, for each reference that the target or the source declares. A foreign key that the target
 * has validated is not proved a second time.
 */
export async function checkReferences(
  table: ComparedTable,
  tables: ComparedTable[],
  client: pg.ClientBase,
): Promise<Check[]> {
  const enforced = await targetReferences(table, client);
  const known = new Set(enforced.map(identity));
  const declared = sourceReferences(table, tables).filter((reference) => !known.has(identity(reference)));
  const checks: Check[] = [];
  for (const reference of [...enforced, ...declared]) {
    const ms = stopwatch();
    const { orphans, examples } = reference.validated
      ? { orphans: 0, examples: [] }
      : await orphansOf(table, reference, client);
    const notes = [
      ...(orphans > 0 ? [`no parent for ${examples.join("; ")}`] : []),
      ...(reference.enforced ? [] : ["declared by the source, not by the target"]),
    ];
    checks.push({
      name: `${table.name} parents in ${reference.parent}`,
      status: orphans === 0 ? "PASS" : "FAIL",
      expected: "0 orphans",
      actual: reference.validated ? "kept by the target's foreign key" : `${count(orphans)} orphans`,
      ...(notes.length > 0 && { note: notes.join("; ") }),
      ms: ms(),
    });
  }
  return checks;
}

async function targetReferences(table: ComparedTable, client: pg.ClientBase): Promise<Reference[]> {
  const { rows } = await client.query<Omit<Reference, "enforced">>(
    `SELECT confrelid::regclass::text AS parent, convalidated AS validated,
       ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, n)
             JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY n) AS columns,
       ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, n)
             JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY n) AS "parentColumns"
     FROM pg_constraint
     WHERE contype = 'f' AND conrelid = $1::regclass
     ORDER BY conname`,
    [targetSql(table)],
  );
  return rows.map((row) => ({ ...row, enforced: true }));
}

function sourceReferences(table: ComparedTable, tables: ComparedTable[]): Reference[] {
  return table.resolved.source.foreignKeys.flatMap((key): Reference[] => {
    return parentsIn(tables, key.table).flatMap((parent): Reference[] => {
      const named = key.references.length > 0 ? key.references : parent.resolved.source.primaryKey;
      const columns = targetNames(table, key.columns);
      const parentColumns = targetNames(parent, named);
      if (!columns || !parentColumns) return [];
      return [{ columns, parent: targetSql(parent), parentColumns, enforced: false, validated: false }];
    });
  });
}

/**
 * The target tables that stand for a source table. Where several come from it, those of some of its rows hold no parent
 * for the others.
 */
function parentsIn(tables: ComparedTable[], source: string): ComparedTable[] {
  const parents = tables.filter(
    ({ resolved }) => resolved.source.name.toLowerCase() === source.toLowerCase(),
  );
  return parents.length > 1 ? parents.filter(({ resolved }) => resolved.where === null) : parents;
}

/** Target names of source columns; undefined when one of them is dropped. */
function targetNames(table: ComparedTable, source: string[]): string[] | undefined {
  const names = source.flatMap(
    (name) => table.resolved.columns.find((column) => column.source === name)?.target ?? [],
  );
  return names.length === source.length && names.length > 0 ? names : undefined;
}

function identity({ columns, parent, parentColumns }: Reference): string {
  return JSON.stringify([columns, parent.replaceAll('"', ""), parentColumns]);
}

async function orphansOf(
  table: ComparedTable,
  { columns, parent, parentColumns }: Reference,
  client: pg.ClientBase,
): Promise<{ orphans: number; examples: string[] }> {
  const child = columns.map((column) => `child.${quoteIdentifier(column)}`);
  const pairs = child.map(
    (column, index) => `parent.${quoteIdentifier(parentColumns[index] ?? "")} = ${column}`,
  );
  const from = `FROM ${targetSql(table)} AS child
    WHERE ${child.map((column) => `${column} IS NOT NULL`).join(" AND ")}
      AND NOT EXISTS (SELECT 1 FROM ${parent} AS parent WHERE ${pairs.join(" AND ")})`;
  const { rows } = await client.query<{ orphans: string }>(`SELECT count(*)::text AS orphans ${from}`);
  const orphans = Number(rows[0]?.orphans);
  if (orphans === 0) return { orphans, examples: [] };
  const shown = child.map((column) => `${column}::text`).join(", ");
  const found = await client.query<{ key: string[] }>(
    `SELECT DISTINCT ARRAY[${shown}]::text[] AS key ${from} ORDER BY 1 LIMIT 3`,
  );
  return { orphans, examples: found.rows.map(({ key }) => `${columns.join(", ")} '${key.join("', '")}'`) };
}
