import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { ReverseColumn, ReverseSource, ReverseTable } from "../reverse/reverse-plan.ts";
import { mergedColumn, sidecarName } from "../reverse/sidecar-names.ts";
import { type FillContext, fillSidecar, keptApart } from "./fill-source.ts";
import { createSidecar, readDefaults } from "./sidecar.ts";

/** A table whose rows are merged into the rows of another: all of them lie in a sidecar first. */
export interface MergedSide {
  table: ReverseTable;
  rows: number;
  /** Columns that name the application's row; empty where the target has nothing that does. */
  link: { source: string; target: string }[];
  defaults: Map<string, SourceValue>;
  apart: string;
}

/**
 * Writes all rows of a side into its sidecar, and marks for each of the application's rows the one that goes there: the
 * one that a load made, else the first by its key.
 */
export async function fillSide(
  context: FillContext,
  source: ReverseSource,
  table: ReverseTable,
): Promise<MergedSide> {
  const { database } = context.file;
  const { target, columns, extras } = table;
  const name = sidecarName(target.name);
  const all = [...columns, ...extras].map((column) => column.target);
  const insert = createSidecar(database, name, [...all, mergedColumn]);
  const { values: defaults, differs } = await readDefaults(context.client, table);
  const { apart, add } = keptApart(database, target.name, (row) => insert([...row, 0n]));
  const rows = await fillSidecar(context, table, add, differs);
  context.file.settle();
  const candidates = keyColumns(source, table);
  const link = candidates.map(({ key, columns: of }) => ({
    source: key,
    target: chosen(of, target.primaryKey),
  }));
  const isLinked = link.length > 0;
  if (isLinked) {
    const names = link.map((each) => quoteIdentifier(each.target)).join(", ");
    const agreeing = candidates
      .flatMap(({ columns: of }) =>
        of.slice(1).map((other) => `${quoteIdentifier(of[0] as string)} IS ${quoteIdentifier(other)}`),
      )
      .join(" AND ");
    database.exec(`
      UPDATE ${quoteIdentifier(name)} SET ${mergedColumn} = 1 WHERE rowid IN (
        SELECT id FROM (
          SELECT rowid AS id, row_number() OVER (PARTITION BY ${names} ORDER BY ${agreeing ? `(${agreeing}) DESC, ` : ""}rowid) AS place
          FROM ${quoteIdentifier(name)})
        WHERE place = 1);
      CREATE INDEX ${quoteIdentifier(`${name}_merged`)} ON ${quoteIdentifier(name)} (${names})`);
  }
  return { table, rows, link, defaults, apart };
}

/** `FROM … WHERE …`: the row of a side that is merged into the row whose key columns `value` gives. */
export function mergeRule({ table, link }: MergedSide, value: (source: string) => string): string {
  const pairs = link.map(({ source, target }) => `side.${quoteIdentifier(target)} IS ${value(source)}`);
  const found = link.length === 0 ? ["0"] : pairs;
  return `FROM ${quoteIdentifier(sidecarName(table.target.name))} AS side WHERE ${[...found, `side.${mergedColumn} = 1`].join(" AND ")}`;
}

/** For each column of the source's key, the side's columns that hold it; empty unless all of the key is there. */
function keyColumns(
  { source, mains }: ReverseSource,
  side: ReverseTable,
): { key: string; columns: string[] }[] {
  const key = mains[0]?.key.map((each) => each.source) ?? [];
  const found = key.map((name) => ({
    key: name,
    columns: [...side.columns, ...side.extras]
      .filter((column) => column.source === name || isColumn(column, name, source.name))
      .map((column) => column.target),
  }));
  return found.every(({ columns }) => columns.length > 0) ? found : [];
}

/** Whether a derived column is a source column as it is. */
function isColumn({ natural }: ReverseColumn, name: string, table: string): boolean {
  if (natural === null || natural.lookup !== null) return false;
  const sql = natural.expression.replace(/^\((.*)\)$/s, "$1").trim();
  return [
    name,
    quoteIdentifier(name),
    `${table}.${name}`,
    `${quoteIdentifier(table)}.${quoteIdentifier(name)}`,
  ].some((each) => each.toLowerCase() === sql.toLowerCase());
}

/** A column that is not the whole key of the side: several of its rows may belong to one row. */
function chosen(columns: string[], primaryKey: string[]): string {
  return (
    columns.find((name) => !(primaryKey.length === 1 && primaryKey[0] === name)) ?? (columns[0] as string)
  );
}
