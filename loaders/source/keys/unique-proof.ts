import type { EncodedColumn } from "../../encode/row-encoder.ts";
import { quoteIdentifier } from "../../identifier.ts";
import { affinityOf } from "../affinity.ts";
import type { Source } from "../open-source.ts";
import type { SourceColumn } from "../source-schema.ts";
import type { KeyedTable, UniqueRule } from "./keyed-table.ts";

/**
 * Whether the source itself keeps rows apart that the target keeps apart: by a unique key over some of the same columns,
 * whose values cannot become equal on their way. Costs nothing to speak of, at most one look at a column's index; where
 * a plain index has the columns, one walk through it.
 */
export function isKeptBySource(source: Source, table: KeyedTable, rule: UniqueRule): boolean {
  const { primaryKey, unique } = table.source;
  const isKept = [primaryKey, ...unique].some((key) => {
    if (key.length === 0) return false;
    const places = key.map((name) =>
      rule.columns.find((place) => columnOf(table, place)?.name.toLowerCase() === name.toLowerCase()),
    );
    return places.every(
      (place) =>
        place !== undefined && keepsNulls(source, table, place, rule) && keepsApart(source, table, place),
    );
  });
  return isKept || isApartInIndex(source, table, rule);
}

/** Whether an index that has equal keys side by side shows that there are none. */
function isApartInIndex(source: Source, table: KeyedTable, { columns, nullsDistinct }: UniqueRule): boolean {
  const { read } = table;
  if (columns.some((place) => columnOf(table, place) === undefined)) return false;
  const names = columns.map((place) => read.columns[place]?.expression ?? "");
  const conditions = [
    ...(read.where === null ? [] : [`(${read.where})`]),
    ...(nullsDistinct ? names.map((name) => `${name} IS NOT NULL`) : []),
  ];
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const sql = `SELECT 1 FROM ${quoteIdentifier(read.table)}${where} GROUP BY ${names.join(", ")} HAVING count(*) > 1 LIMIT 1`;
  const plan = source.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
  if (plan.some(({ detail }) => detail.includes("TEMP B-TREE"))) return false;
  const isNullProblem = (place: number) => {
    const column = table.columns[place];
    return !nullsDistinct && column?.emptyIsNull === true && column.type.kind !== "text";
  };
  if (columns.some((place) => isNullProblem(place) || !keepsApart(source, table, place))) return false;
  return source.prepare(sql).get() === undefined;
}

/** The source column whose value stands at a place: it is read as such, or a derived column is nothing but its name. */
function columnOf({ source, read }: KeyedTable, place: number): SourceColumn | undefined {
  const { name = null, expression = "" } = read.columns[place] ?? {};
  const plain = name ?? /^\(\s*("?)([A-Za-z_]\w*)\1\s*\)$/.exec(expression)?.[2] ?? "";
  return source.columns.find((column) => column.name.toLowerCase() === plain.toLowerCase());
}

/** SQLite lets any number of rows be NULL in a unique key; that matters only where the target compares NULLs. */
function keepsNulls(source: Source, table: KeyedTable, place: number, rule: UniqueRule): boolean {
  const { source: from, read, columns } = table;
  const column = columns[place];
  if (rule.nullsDistinct || !column?.nullable) return true;
  if (column.emptyIsNull && column.type.kind !== "text") return false;
  const known = columnOf(table, place);
  const isOnlyKey = from.primaryKey.length === 1 && from.primaryKey[0] === known?.name;
  if (known?.notNull || (isOnlyKey && known?.declaredType.toUpperCase() === "INTEGER")) return true;
  return isEmpty(source, read.table, `${read.columns[place]?.expression} IS NULL`);
}

/** Whether different values of the column are different in the target. */
function keepsApart(source: Source, table: KeyedTable, place: number): boolean {
  const { read } = table;
  const expression = read.columns[place]?.expression ?? "NULL";
  const column = table.columns[place] as EncodedColumn;
  const affinity = affinityOf(columnOf(table, place)?.declaredType ?? "");
  const isNumeric = affinity !== "TEXT" && affinity !== "BLOB";
  const holdsOnly = (condition: string) => {
    const filter = read.where === null ? "" : `(${read.where}) AND `;
    return isEmpty(source, read.table, `${filter}${expression} IS NOT NULL AND NOT (${condition})`);
  };
  const { type, reading } = column;
  switch (type.kind) {
    case "text":
    case "bytea":
      return true;
    case "int2":
    case "int4":
    case "int8":
    case "float4":
    case "float8":
      // A number that was written as a text is a number in such a column.
      return isNumeric || holdsOnly(`typeof(${expression}) = 'integer'`);
    case "bool":
      return holdsOnly(`typeof(${expression}) = 'integer'`);
    case "numeric":
      return (type.scale ?? 0) >= 0 && holdsOnly(`typeof(${expression}) = 'integer'`);
    case "uuid":
      return holdsOnly(`octet_length(${expression}) = 36 AND lower(${expression}) = ${expression}`);
    case "date":
    case "timestamp":
    case "timestamptz":
      if (reading !== null) return holdsOnly(`typeof(${expression}) = 'integer'`);
      return formsOf(source, read.table, expression).some(holdsOnly);
    default:
      return false;
  }
}

const moment = /^(\d{4}-\d\d-\d\d)(?:([ T]\d\d:\d\d)(:\d\d)?([.,]\d+)?( ?(?:[zZ]|[+-]\d\d(?::?\d\d)?))?)?$/;

/**
 * Conditions under which no two different texts of a column name the same moment, made after its first text: all are
 * written alike; or, as Python does it, with six digits of a fraction or none.
 */
function formsOf(source: Source, table: string, expression: string): string[] {
  const first = source
    .prepare(`SELECT ${expression} FROM ${quoteIdentifier(table)} WHERE ${expression} IS NOT NULL LIMIT 1`)
    .pluck()
    .get();
  const parts = typeof first === "string" ? moment.exec(first) : null;
  if (parts === null) return [];
  const [, day = "", time = "", seconds = "", fraction = "", zone = ""] = parts;
  if (time === "") return [`octet_length(${expression}) = ${day.length}`];
  const like = (text: string) => text.replace(/\d/g, "[0-9]");
  const whole = like(day + time + seconds);
  const alike = `${expression} GLOB '${whole}${like(fraction)}${zone}'`;
  if (seconds === "") return [alike];
  const six = `${expression} GLOB '${whole}.${like("000000")}${zone}'`;
  const none = `${expression} GLOB '${whole}${zone}'`;
  return [alike, `(${none} OR (${six} AND ${expression} NOT GLOB '*.000000${zone}'))`];
}

function isEmpty(source: Source, table: string, condition: string): boolean {
  return (
    source.prepare(`SELECT 1 FROM ${quoteIdentifier(table)} WHERE ${condition} LIMIT 1`).get() === undefined
  );
}
