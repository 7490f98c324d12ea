import type { EncodedColumn } from "../../encode/row-encoder.ts";
import type { SourceValue } from "../../encode/value-problem.ts";
import { quoteIdentifier } from "../../identifier.ts";
import { collation, quickExpression } from "../lookup.ts";
import type { Source } from "../open-source.ts";
import type { RowId } from "../row-id.ts";
import type { TableRead } from "../table-reader.ts";
import type { KeyedTable, ReferenceRule } from "./keyed-table.ts";

/** Different values of an indexed column that are looked at one by one; beyond, its rows are. */
const mostValues = 5000;
/** More rows than that are not kept in memory. */
const mostSuspects = 100_000;
/** A parent of so few rows may be read for every row. */
const fewRows = 20n;

/**
 * The rows, by rowid, for which SQLite finds no loaded parent with the very same values; others may be equal only as the
 * target compares. Null where SQLite cannot tell, or not as fast: then every row is a suspect.
 */
export function suspectsOf(
  source: Source,
  table: KeyedTable,
  rule: ReferenceRule,
  absent: Set<RowId>,
): number[] | null {
  const { parent, columns, to } = rule;
  const pairs = columns.map((place, i) => [table.columns[place], parent.columns[to[i] ?? -1]] as const);
  if (!pairs.every(([own, its]) => own && its && becomeAlike(own, its))) return null;
  if (absent.size > 0 && parent.read.rowid === null) return null;
  noteAbsent(source, absent);
  const found = parentSql(source, rule, absent.size > 0);
  const [place] = columns;
  const loose = columns.length === 1 && place !== undefined ? looseColumn(source, table, place) : null;
  const byValue = loose === null ? null : suspectsByValue(source, table.read, loose, found);
  return byValue ?? suspectsByRow(source, table, rule, found);
}

/** Whether equal values of the source are equal in the target. */
function becomeAlike(own: EncodedColumn, its: EncodedColumn): boolean {
  const way = ({ type, reading, emptyIsNull }: EncodedColumn) => {
    const kind = /^int/.test(type.kind) ? "int" : type.kind;
    const scale = type.kind === "numeric" ? [type.precision, type.scale] : [];
    return JSON.stringify([kind, scale, reading, emptyIsNull]);
  };
  return way(own) === way(its);
}

/** Rows of the parent that are not loaded, where a query can see them. */
function noteAbsent(source: Source, absent: Set<RowId>): void {
  source.exec(
    "CREATE TEMP TABLE IF NOT EXISTS timelift_absent (id INTEGER PRIMARY KEY); DELETE FROM temp.timelift_absent",
  );
  const add = source.prepare("INSERT INTO temp.timelift_absent VALUES (?)");
  for (const id of absent) if (typeof id === "number") add.run(BigInt(id));
}

/** A query for the loaded parents of a row whose values are the SQL in `values`; in the same class, byte by byte. */
function parentSql(source: Source, { parent, to }: ReferenceRule, someAbsent: boolean) {
  const { read } = parent;
  const rows = subquery(source, read, to);
  return (values: string[]) => {
    const same = values.map(
      (value, i) => `p.k${i} COLLATE BINARY = ${value} AND typeof(p.k${i}) = typeof(${value})`,
    );
    const there = someAbsent ? ["p.id NOT IN (SELECT id FROM temp.timelift_absent)"] : [];
    return `SELECT 1 FROM ${rows} AS p WHERE ${[...same, ...there].join(" AND ")}`;
  };
}

/** A table's rows with the columns at `places` as k0, k1, …; in a query of its own, so that names mean its columns. */
function subquery(source: Source, read: TableRead, places: number[]): string {
  const values = places.map((place, i) => {
    const column = read.columns[place];
    return `${column ? quickExpression(source, column) : "NULL"} AS k${i}`;
  });
  const where = read.where === null ? "" : ` WHERE (${read.where})`;
  return `(SELECT ${[`${read.rowid ?? "NULL"} AS id`, ...values].join(", ")} FROM ${quoteIdentifier(read.table)}${where})`;
}

/** The column as SQL, where an index leads from one of its values to the next. */
function looseColumn(source: Source, { read, source: table }: KeyedTable, place: number): string | null {
  const column = read.columns[place];
  if (column?.name == null || table.kind !== "table") return null;
  const leads = source
    .prepare(
      `SELECT 1 FROM pragma_index_list(?) AS l, pragma_index_xinfo(l.name) AS x
       WHERE l.partial = 0 AND x.seqno = 0 AND x.name = ? AND x.coll = 'BINARY' AND x.key = 1 LIMIT 1`,
    )
    .get(read.table, column.name);
  return leads === undefined || collation(source, read.table, column.name) !== "" ? null : column.expression;
}

/** Null where the column has too many different values for that. */
function suspectsByValue(
  source: Source,
  read: TableRead,
  column: string,
  found: (values: string[]) => string,
): number[] | null {
  const table = quoteIdentifier(read.table);
  const values = source
    .prepare(
      `WITH RECURSIVE each_value(v) AS (
         SELECT min(${column}) FROM ${table}
         UNION ALL SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > v) FROM each_value WHERE v IS NOT NULL)
       SELECT v FROM each_value WHERE v IS NOT NULL LIMIT ${mostValues + 1}`,
    )
    .pluck()
    .all() as SourceValue[];
  if (values.length > mostValues) return null;
  const parent = source.prepare(`WITH given(v) AS (SELECT ?) ${found(["(SELECT v FROM given)"])} LIMIT 1`);
  const orphaned = values.filter((value) => parent.get(value) === undefined);
  if (orphaned.length === 0) return [];
  if (read.rowid === null) return null;
  const where = read.where === null ? "" : ` AND (${read.where})`;
  const rows = source
    .prepare(`SELECT ${read.rowid} FROM ${table} WHERE ${column} = ?${where} LIMIT ${mostSuspects + 1}`)
    .pluck();
  const suspects: number[] = [];
  for (const value of orphaned) {
    for (const rowid of rows.all(value)) suspects.push(Number(rowid));
    if (suspects.length > mostSuspects) return null;
  }
  return suspects.sort((a, b) => a - b);
}

/** Null where SQLite would read the whole parent for every row. */
function suspectsByRow(
  source: Source,
  { read, columns }: KeyedTable,
  rule: ReferenceRule,
  found: (values: string[]) => string,
): number[] | null {
  const values = rule.columns.map((_, i) => `c.k${i}`);
  const refers = rule.columns.flatMap((place, i) => {
    const lost = read.columns[place]?.lookup != null && columns[place]?.nullable === false;
    return lost ? [] : [`c.k${i} IS NOT NULL`];
  });
  const conditions = [...refers, `NOT EXISTS (${found(values)})`];
  const sql = `SELECT c.id FROM ${subquery(source, read, rule.columns)} AS c WHERE ${conditions.join(" AND ")} LIMIT ${mostSuspects + 1}`;
  if (scansInside(source, sql) && !isSmall(source, rule.parent.read)) return null;
  const rows = source.prepare(sql).pluck().all();
  if (rows.length === 0) return [];
  if (read.rowid === null || rows.length > mostSuspects) return null;
  return rows.map(Number).sort((a, b) => a - b);
}

/** Whether a query reads a whole table for each of its rows. */
function scansInside(source: Source, sql: string): boolean {
  const plan = source.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as {
    id: bigint;
    parent: bigint;
    detail: string;
  }[];
  const inside = new Set<bigint>();
  for (const { id, parent, detail } of plan) {
    if (detail.startsWith("CORRELATED") || inside.has(parent)) inside.add(id);
    if (inside.has(parent) && detail.startsWith("SCAN")) return true;
  }
  return false;
}

function isSmall(source: Source, { table }: TableRead): boolean {
  const rows = source
    .prepare(`SELECT count(*) FROM (SELECT 1 FROM ${quoteIdentifier(table)} LIMIT ${fewRows + 1n})`)
    .pluck()
    .get() as bigint;
  return rows <= fewRows;
}
