import { createHash } from "node:crypto";
import { quoteIdentifier } from "../identifier.ts";
import { affinityOf, comparedAffinity } from "./affinity.ts";
import type { Source } from "./open-source.ts";

/** A value of another table's row, found by key. Plain data: it crosses threads. */
export interface Lookup {
  /** The table whose rows refer. */
  of: string;
  /** The table that is looked into. */
  from: string;
  /** Pairs of a column of `from` and the column of `of` that it has to equal. */
  key: [its: string, own: string][];
  /** Column of `from`. */
  value: string;
}

/** Where a lookup finds its rows: the table itself, or an indexed extract of it. */
interface Place {
  table: string;
  key: string[];
  value: string;
}

/** The lookup as SQL over a row of `of`, equal as SQLite compares the two columns. */
export function lookupSql(lookup: Lookup): string {
  const of = (name: string) => `${alias}.${quoteIdentifier(name)}`;
  return sqlAt(lookup, {
    table: quoteIdentifier(lookup.from),
    key: lookup.key.map(([its]) => of(its)),
    value: of(lookup.value),
  });
}

const alias = "timelift_found";

function sqlAt({ of, key }: Lookup, place: Place): string {
  const pairs = key.map(([, own], i) => `${place.key[i]} = ${quoteIdentifier(of)}.${quoteIdentifier(own)}`);
  return `(SELECT ${place.value} FROM ${place.table} AS ${alias} WHERE ${pairs.join(" AND ")} LIMIT 1)`;
}

/**
 * The SQL that gives a column's value on this connection. A lookup that no unique index serves would read the whole
 * table for every row; it gets an extract with an index, a temporary table of the connection.
 */
export function quickExpression(
  source: Source,
  { expression, lookup }: { expression: string; lookup: Lookup | null },
): string {
  if (lookup === null || isServed(source, lookup)) return expression;
  return sqlAt(lookup, extract(source, lookup));
}

/** Whether an index of the source finds the row, and no more than one. */
export function isServed(source: Source, lookup: Lookup): boolean {
  const plan = source
    .prepare(`EXPLAIN QUERY PLAN SELECT ${lookupSql(lookup)} FROM ${quoteIdentifier(lookup.of)}`)
    .all() as { detail: string }[];
  const details = plan.map(({ detail }) => detail);
  if (details.includes(`SEARCH ${alias} USING INTEGER PRIMARY KEY (rowid=?)`)) return true;
  for (const detail of details) {
    const [, name, terms] =
      new RegExp(`^SEARCH ${alias} USING (?:(?:COVERING )?INDEX (.+)|PRIMARY KEY) \\((.*)\\)$`).exec(
        detail,
      ) ?? [];
    if (terms === undefined) continue;
    const index = source
      .prepare(
        `SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND ${name === undefined ? "origin = 'pk'" : "name = ?"}`,
      )
      .pluck()
      .get(lookup.from, ...(name === undefined ? [] : [name])) as string | undefined;
    if (index === undefined) continue;
    const columns = source.prepare("SELECT count(*) FROM pragma_index_info(?)").pluck().get(index);
    if (terms.split(" AND ").filter((term) => term.endsWith("=?")).length === Number(columns)) return true;
  }
  return false;
}

/** A key that several rows have, which do not agree on the value; undefined where there is none. */
export function ambiguousKey(source: Source, lookup: Lookup): string | undefined {
  if (isServed(source, lookup)) return undefined;
  const { table } = extract(source, lookup);
  const key = lookup.key.map((_, i) => keyColumn(i));
  const collated = lookup.key.map(([its], i) => `${keyColumn(i)}${collation(source, lookup.from, its)}`);
  const found = source
    .prepare(
      `SELECT ${key.map((name) => `quote(${name})`).join(" || ', ' || ")} FROM ${table}
       WHERE ${key.map((name) => `${name} IS NOT NULL`).join(" AND ")}
       GROUP BY ${collated.join(", ")}
       HAVING count(*) > 1 AND NOT (min(value) IS max(value) AND count(value) IN (0, count(*))) LIMIT 1`,
    )
    .pluck()
    .get() as string | undefined;
  return found;
}

/** Makes the extract unless the connection has it. Its columns compare with the row's as the table's own do. */
function extract(source: Source, lookup: Lookup): Place {
  const { from, key } = lookup;
  const digest = createHash("sha256").update(JSON.stringify(lookup)).digest("hex").slice(0, 16);
  const name = `timelift_lookup_${digest}`;
  const collations = key.map(([its]) => collation(source, from, its));
  const place: Place = {
    table: `temp.${name}`,
    key: key.map((_, i) => `${alias}.${keyColumn(i)}${collations[i]}`),
    value: `${alias}.value`,
  };
  if (source.prepare("SELECT 1 FROM temp.sqlite_schema WHERE name = ?").get(name) !== undefined) return place;
  const columns = key.map(([its, own], i) => {
    const type = comparedAffinity(declared(source, from, its), declared(source, lookup.of, own));
    return `${keyColumn(i)} ${type}`;
  });
  const values = [...key.map(([its]) => its), lookup.value].map(quoteIdentifier).join(", ");
  const indexed = key.map((_, i) => `${keyColumn(i)}${collations[i]}`).join(", ");
  source.exec(`
    CREATE TEMP TABLE ${name} (${columns.join(", ")}, value);
    INSERT INTO ${place.table} SELECT ${values} FROM main.${quoteIdentifier(from)};
    CREATE INDEX temp.${name}_key ON ${name} (${indexed})`);
  return place;
}

function keyColumn(i: number): string {
  return `key_${i}`;
}

function declared(source: Source, table: string, column: string) {
  const type = source
    .prepare("SELECT type FROM pragma_table_xinfo(?) WHERE lower(name) = lower(?)")
    .pluck()
    .get(table, column) as string | undefined;
  return affinityOf(type ?? "");
}

/**
 * A column's collation, as SQL behind a name; empty for texts that are compared by their bytes. No pragma tells it, but it
 * is passed on to a subquery's column.
 */
export function collation(source: Source, table: string, column: string): string {
  const [noCase, trimmed] = source
    .prepare(
      `SELECT given = 'A', given = 'a ' FROM
         (SELECT ${quoteIdentifier(column)} AS given FROM ${quoteIdentifier(table)} WHERE 0 UNION ALL SELECT 'a' LIMIT 1)`,
    )
    .raw(true)
    .get() as [bigint, bigint];
  if (noCase === 1n) return " COLLATE NOCASE";
  return trimmed === 1n ? " COLLATE RTRIM" : "";
}
